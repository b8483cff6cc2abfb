"""Identifiers made from what is imported, never from when: a repeated import makes the same.

A database restored to an hour ago and imported into again so makes the same payouts, hence the
same effect keys, and the provider recognises each payment it has already made.
"""

from collections.abc import Iterable
from hashlib import sha1
from typing import Final
from uuid import UUID, uuid5

_RANDOM: Final = ~(0xF000 << 64 | 0xC000 << 48)
_VERSION_5: Final = 5 << 76 | 0x8000 << 48
"""Where a UUID says what it is: version and variant (RFC 9562, section 4)."""


def payout_id(installation: UUID, external_id: str) -> UUID:
    """Return the payout that `external_id` names in this installation (UUID version 5)."""
    return uuid5(installation, f"payout:{external_id}")


def numbers(installation: UUID, kind: str, external_ids: Iterable[str]) -> list[int]:
    """Return the UUID version 5 of each `<kind>:<external id>`, as `UUID.int`: a large import makes no object of it."""
    begun = sha1(installation.bytes + f"{kind}:".encode(), usedforsecurity=False)
    made = []
    for external_id in external_ids:
        hashed = begun.copy()
        hashed.update(external_id.encode())
        number = int.from_bytes(hashed.digest()[:16], "big")
        made.append(number & _RANDOM | _VERSION_5)
    return made


def payee_id(installation: UUID, payee: str) -> UUID:
    """Return the payee of that name in this installation (UUID version 5)."""
    return uuid5(installation, f"payee:{payee}")


def payout_account_id(installation: UUID, payee: str, fund_account_id: str) -> UUID:
    """Return the payee's account with that provider token (UUID version 5).

    The token comes first: it holds no colon, so no two pairs share a name.
    """
    return uuid5(installation, f"payout_account:{fund_account_id}:{payee}")


def reference(payout: UUID, generation: int) -> str:
    """What the provider files a generation of a payout under; at most 40 characters.

    The bare id for the first generation. A later one carries its number, so that a look-up never
    finds the refused generation beside the live one.
    """
    return str(payout) if generation == 1 else f"{payout}-{generation}"


def of_reference(text: str | None) -> tuple[UUID, int] | None:
    """Return the payout and generation that `reference` made `text` of, or None: it made no such text."""
    id_, number = (text or "")[:36], (text or "")[37:]
    try:
        payout, generation = UUID(id_), int(number or 1)
    except ValueError:
        return None
    return (payout, generation) if reference(payout, generation) == text else None
