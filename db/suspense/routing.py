"""Receipts of nobody knows whom: received, and set apart, an item each, until a person has looked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from db import findings
from db.accounts import Owner
from db.drafts import Draft, Leg
from db.tx import Tx
from domain.findings import Finding, FindingKind
from domain.ledger import AccountKind, EntryType
from domain.suspense import routed_key

_K: Final = AccountKind
NAMED_MAX: Final = 100
"""Receipts of one set that have findings of their own; of all the others together there is one more."""
REST: Final = "suspense-is-empty"
"""What that one is about: the promise by which the reconciliation tells of those it does not name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """A receipt on record that matches no obligation; `amount` in minor units, above zero."""

    id: UUID
    external_id: str
    reference: str
    amount: int
    currency: str
    received_on: date


def entries(strays: Iterable[Stray]) -> list[Draft]:
    """The entries that receive them and set them apart; whoever wrote their rows posts these."""
    return [entry for stray in strays for entry in _entries(stray)]


def _entries(stray: Stray) -> tuple[Draft, Draft]:
    # Nobody's receipts have a trust account in common, and none of them stays in it.
    cash = Owner(kind=_K.TRUST_CASH, owner="", currency=stray.currency)
    clearing = Owner(kind=_K.CASH_CLEARING, owner="", currency=stray.currency)
    item = Owner(kind=_K.SUSPENSE, owner=str(stray.id), currency=stray.currency)
    return (
        Draft(
            type=EntryType.CASH_RECEIVED,
            key=f"receipt:{stray.id}:received",
            effective_on=stray.received_on,
            legs=(Leg(debit=cash, credit=clearing, amount=stray.amount),),
        ),
        Draft(
            type=EntryType.SUSPENSE_ROUTED,
            key=routed_key(stray.id),
            effective_on=stray.received_on,
            legs=(Leg(debit=item, credit=cash, amount=stray.amount),),
        ),
    )


def tell(tx: Tx, strays: Sequence[Stray]) -> None:
    """Report them to a person."""
    told = [
        Finding(
            kind=FindingKind.SUSPENSE_OPEN,
            subject=f"receipt {stray.id}",
            detail=f"receipt {stray.external_id} names {stray.reference!r}, and no obligation of {stray.currency} is called so",
        )
        for stray in strays[:NAMED_MAX]
    ]
    if len(strays) > NAMED_MAX:
        detail = f"{len(strays)} receipts of one file name no obligation; the first {NAMED_MAX} have findings of their own"
        told.append(Finding(kind=FindingKind.SUSPENSE_OPEN, subject=REST, detail=detail))
    findings.report(tx, told)
