"""Money leaves suspense: to where it belongs, back to whoever paid, or written off; in whole or in part, by two people.

Every resolution is one entry that credits the item and names the entry that opened it: suspense falls by its amount,
whatever the way, and never below what is open, since the item's account is bounded. Lock order: work rows, obligations,
receipts, accounts, totals.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import drafts, findings, ledger
from db.accounts import Owner
from db.bookings.moving import shift
from db.dispersals.settled import cease
from db.drafts import Draft, Leg
from db.obligations.facts import Obligation, grip, read
from db.obligations.receive import Receipt, receive
from db.transitions import LeasedTx
from db.tx import Row, Tx
from domain.errors import BadInputError, NotFoundError, RefusedError
from domain.findings import FindingKind, key_of
from domain.ledger import AccountKind, EntryType
from domain.obligations import OBLIGATIONS, ObligationState
from domain.suspense import Way, borne_key, resolved_key

_K: Final = AccountKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """How money leaves one item; `amount` in minor units of its currency, None for all that is open."""

    item: UUID
    way: Way
    amount: int | None = None
    obligation: UUID | None = None
    """The one that a receipt, or a part of it, was for; named where a receipt is matched, and nowhere else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """How much left an item, and what of it is open still."""

    amount: int
    left: int
    currency: str


_ITEM: Final = sa.text("""
    SELECT a.id, a.currency, b.debits - b.credits AS open,
           (SELECT max(e.id) FROM postings p JOIN entries e ON e.id = p.entry
            WHERE p.debit = a.id AND e.type IN ('SUSPENSE_ESCALATED', 'SUSPENSE_ROUTED')) AS opening,
           (SELECT count(*) FROM postings p WHERE p.credit = a.id) + 1 AS number
    FROM accounts a JOIN balances b ON b.account = a.id WHERE a.kind = 'suspense' AND a.owner = :item""")
_RECEIPT: Final = sa.text("""
    SELECT id, received_on, method FROM receipts WHERE id = :id AND obligation IS NULL FOR UPDATE""")


def check(tx: Tx, asked: Resolution) -> Row:
    """Return the item as it is (currency, open); nothing is held.

    Raises `NotFoundError` where there is none, `BadInputError` or `RefusedError` for what could never be done.
    """
    item = tx.row(_ITEM, item=str(asked.item))
    if item is None:
        raise NotFoundError(f"there is no item {asked.item} in suspense")
    is_receipt = not read(tx, [asked.item])
    if (asked.obligation is not None) != (is_receipt and asked.way is Way.MATCH):
        rule = "must be named where a receipt is matched, and only there"
        raise BadInputError("obligation", asked.obligation, rule)
    if asked.obligation is not None:
        for one in read(tx, [asked.obligation]):
            if one.currency != item.currency:
                rule = f"is owed in {one.currency}, the receipt is of {item.currency}"
                raise BadInputError("obligation", one.external_id, rule)
    if asked.amount is not None and not 0 < asked.amount <= item.open:
        raise RefusedError(
            f"{asked.amount} minor units of item {asked.item} cannot leave suspense: {item.open} are open"
        )
    if not item.open:
        raise RefusedError(f"nothing of item {asked.item} is open")
    return item


def resolve(tx: Tx, asked: Resolution, *, actor: str, why: str) -> Resolved:
    """Let money leave an item. Raises as `check` does: the item is looked at again while it is held."""
    about = asked.item if asked.obligation is None else asked.obligation
    leased, found = grip(tx, [about], run=None, actor=actor)
    receipt = leased.row(_RECEIPT, id=asked.item)
    item = check(leased, asked)
    amount = asked.amount or item.open
    if receipt is None:
        _of_obligation(leased, found[0], asked, item, amount, why)
    else:
        _of_receipt(leased, receipt, found, asked, item, amount, why)
    if amount == item.open:
        kind = "obligation" if receipt is None else "receipt"
        findings.cease(leased, [key_of(FindingKind.SUSPENSE_OPEN, f"{kind} {asked.item}")])
    return Resolved(amount=amount, left=item.open - amount, currency=item.currency)


def _of_obligation(
    tx: LeasedTx, one: Obligation, asked: Resolution, item: Row, amount: int, why: str
) -> None:
    """What is owed for escalated money is in the control of allocation, until it is divided or given back."""
    if one.state != ObligationState.ESCALATED:
        raise RefusedError(f"obligation {one.external_id} is {one.state}, not ESCALATED")
    debits = {
        Way.MATCH: one.of_mortgage(_K.TRUST_CASH),
        Way.REFUND: one.of_system(_K.CONTROL_ALLOCATION),
        Way.WRITE_OFF: one.of_system(_K.WRITE_OFF),
    }
    if amount == item.open:
        given_back = amount if asked.way is Way.REFUND else 0
        _end(tx, one, one.received - given_back, why)
    entries = [_entry(tx, asked, item, debits, amount, why)]
    if asked.way is Way.WRITE_OFF:
        entries.append(_borne(tx, one, item.number, amount))
    drafts.post(tx, entries, run=None, actor=tx.actor)


def _borne(tx: Tx, one: Obligation, number: int, amount: int) -> Draft:
    """What is owed for cash that is not there is paid out of ours: never out of what came in for another obligation."""
    cash = Leg(debit=one.of_mortgage(_K.TRUST_CASH), credit=one.of_system(_K.CASH), amount=amount)
    return Draft(
        type=EntryType.SUSPENSE_BORNE,
        key=borne_key(one.id, number),
        effective_on=ledger.today(tx),
        legs=(cash,),
    )


def _end(tx: LeasedTx, one: Obligation, rest: int, why: str) -> None:
    """Nothing of it is in suspense any more: what was not given back is divided."""
    target = ObligationState.SETTLED if rest else ObligationState.RETURNED
    shift(tx, OBLIGATIONS, {one.id: one.state}, target, reason=why)
    cease(tx, [one.id])


def _of_receipt(
    tx: LeasedTx,
    receipt: Row,
    found: list[Obligation],
    asked: Resolution,
    item: Row,
    amount: int,
    why: str,
) -> None:
    """A part that is matched is received by its obligation, as if it had come for that one alone, on its day."""
    debits = {
        Way.REFUND: Owner(kind=_K.CASH_CLEARING, owner="", currency=item.currency),
        Way.WRITE_OFF: Owner(kind=_K.WRITE_OFF, owner="", currency=item.currency),
    }
    if asked.way is Way.MATCH:
        debits[Way.MATCH] = found[0].of_mortgage(_K.TRUST_CASH)
    entry = _entry(tx, asked, item, debits, amount, why)
    parts = [
        Receipt(
            id=receipt.id,
            obligation=one.id,
            amount=amount,
            received_on=receipt.received_on,
            method=receipt.method,
            part=item.number,
        )
        for one in found
    ]
    receive(tx, parts, run=None, actor=tx.actor, also=[entry])


def _entry(
    tx: Tx, asked: Resolution, item: Row, debits: Mapping[Way, Owner], amount: int, why: str
) -> Draft:
    suspense = Owner(kind=_K.SUSPENSE, owner=str(asked.item), currency=item.currency)
    return Draft(
        type=EntryType.SUSPENSE_RESOLVED,
        key=resolved_key(asked.item, item.number),
        effective_on=ledger.today(tx),
        legs=(Leg(debit=debits[asked.way], credit=suspense, amount=amount),),
        cause=item.opening,
        reason=why,
    )
