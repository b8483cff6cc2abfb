"""Suspense: money whose right home nobody knows, an item each, and the ways in which it leaves."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.ledger import EntryType

OPENINGS: Final = (EntryType.SUSPENSE_ESCALATED, EntryType.SUSPENSE_ROUTED)
"""What opens an item, or adds to one that was cleared."""


class Way(StrEnum):
    """How money leaves an item."""

    MATCH = "match"
    """It has found its home: the mortgage of its obligation, or of the one that its receipt was for."""
    REFUND = "refund"
    """It goes back to whoever paid it, and nothing is owed for it any more."""
    WRITE_OFF = "write_off"
    """It is not there: what is owed for it stays, and is paid out of our cash."""


def routed_key(receipt: UUID) -> str:
    """The key of the entry that sets a receipt apart."""
    return f"suspense-routed:{receipt}"


def resolved_key(item: UUID, number: int) -> str:
    """The key of an item's `number`-th resolution; an item is an obligation or a receipt."""
    return f"suspense-resolved:{item}:{number}"


def borne_key(item: UUID, number: int) -> str:
    """The key of the entry that puts our cash in the place of what an item's `number`-th resolution wrote off."""
    return f"suspense-borne:{item}:{number}"
