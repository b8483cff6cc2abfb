"""Dispersals whose hold is over: a payout of each, of what its lender is owed and its mortgage's cash can bear.

One payout for each dispersal, so that what becomes of the one becomes of the other, and an effect has one key. What
cannot be paid yet waits an hour, and is reported; a share below what a provider pays out is parked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import clock, findings, installation
from db.accounts import Owner, open_accounts
from db.advance import Step, advance
from db.dispersals import paying
from db.payouts.batch import Made, approve_small
from db.transitions import LeasedTx, take
from db.tx import Row, Tx
from db.work import ClaimOrder, Next
from domain.batching import narration
from domain.dispersals import DISBURSE, DISPERSALS, DispersalState, payout_name
from domain.findings import Finding, FindingKind, key_of
from domain.ledger import AccountKind
from domain.payout_ids import payout_id
from domain.payout_modes import AMOUNT_MIN

AGAIN: Final = timedelta(hours=1)
"""How long what cannot be paid waits before it is looked at again."""
_UNPAYABLE: Final = {
    "no account": "has no default account",
    "not active": "has an account that is not active",
    "not verified": "has an account that nobody has verified",
}
"""What a person must do something about for a lender, in words."""
_SHORT: Final = {
    "small": f"is less than the {AMOUNT_MIN} minor units that a provider pays out at least",
    "not owed": "is more than its lender is owed in the books",
    "no cash": "is more than its mortgage's cash, less what is under way of it",
    "taken": "has a payout of its name that is another's",
}
"""The same of a dispersal."""

_LOCK: Final = sa.text("""
    SELECT id, state, sendings, eligible_on, currency, lender FROM dispersals
    WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE""")
_PAY: Final = sa.text("""
    SELECT * FROM pay_dispersals(CAST(:ids AS uuid[]), CAST(:made AS uuid[]), CAST(:external_ids AS text[]),
                                 CAST(:narrations AS text[]), :least, :actor)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disbursed:
    """How many dispersals were taken, and of how many a payout was made, or could not be."""

    taken: int
    made: int
    unpayable: int


def disburse(tx: Tx, order: ClaimOrder, *, approve_below_minor: int) -> Disbursed:
    """Make payouts of due dispersals that are PENDING, and approve those below the limit."""
    leased = take(tx, DISBURSE, order)
    if not leased.held:
        return Disbursed(taken=0, made=0, unpayable=0)
    rows = leased.rows(_LOCK, ids=list(leased.held))
    pending = [row for row in rows if row.state == DispersalState.PENDING]
    others = leased.held.keys() - {row.id for row in pending}
    leased.settle([Next(subject=id_, job=None) for id_ in others])
    if not pending:
        return Disbursed(taken=len(leased.held), made=0, unpayable=0)
    answers = _pay(leased, pending)
    made = [one for one in answers if one.outcome == "made"]
    unpayable = _keep(leased, pending, [one for one in answers if one.outcome != "made"])
    step = Step(source=DispersalState.PENDING, target=DispersalState.SENDING)
    advance(leased, DISPERSALS, [one.dispersal for one in made], step)
    _cease(leased, pending, [one.dispersal for one in made])
    payouts = [Made(id=one.payout, amount=one.amount, currency=one.currency) for one in made]
    approve_small(leased, payouts, approve_below_minor, None)
    return Disbursed(taken=len(leased.held), made=len(made), unpayable=unpayable)


def _pay(tx: LeasedTx, pending: Sequence[Row]) -> Sequence[Row]:
    """Through the one door that makes payouts of dispersals; an answer for each."""
    books = (AccountKind.PAYOUTS_IN_TRANSIT, AccountKind.CASH)
    currencies = {row.currency for row in pending}
    open_accounts(tx, [Owner(kind=k, owner="", currency=c) for k in books for c in currencies])
    own = installation.get(tx).id
    names = [payout_name(row.id, row.sendings + 1) for row in pending]
    return tx.rows(
        _PAY,
        ids=[row.id for row in pending],
        made=[payout_id(own, name) for name in names],
        external_ids=names,
        narrations=[narration("Lender share", row.eligible_on.isoformat()) for row in pending],
        least=AMOUNT_MIN,
        actor=tx.actor,
    )


def _keep(tx: LeasedTx, pending: Sequence[Row], left: Sequence[Row]) -> int:
    """Re-date what is not paid now, and report what somebody must do something about; returns how much."""
    if not left:
        return 0
    rows, at = {row.id: row for row in pending}, clock.now(tx)
    nexts, seen = [], []
    for one in left:
        row = rows[one.dispersal]
        if one.outcome == "held":
            nexts.append(Next(subject=row.id, job=DISBURSE, delay=_until(row.eligible_on, at)))
            continue
        found = _finding(row, one.outcome)
        seen.append(found)
        # No hour makes an amount larger.
        parked = found.detail if one.outcome == "small" else None
        nexts.append(
            Next(subject=row.id, job=DISBURSE, delay=AGAIN, error=found.detail, parked=parked)
        )
    tx.settle(nexts)
    findings.report(tx, seen)
    return len(seen)


def _until(day: date, at: datetime) -> timedelta:
    return datetime.combine(day, time.min, UTC) - at


def _finding(row: Row, outcome: str) -> Finding:
    if (words := _UNPAYABLE.get(outcome)) is not None:
        kind, subject = FindingKind.LENDER_UNPAYABLE, f"lender {row.lender}"
        return Finding(kind=kind, subject=subject, detail=f"{subject} {words}")
    kind, subject = FindingKind.DISPERSAL_NOT_PAYABLE, f"dispersal {row.id}"
    return Finding(kind=kind, subject=subject, detail=f"{subject} {_SHORT[outcome]}")


def _cease(tx: LeasedTx, pending: Sequence[Row], made: Sequence[UUID]) -> None:
    """Resolve what was reported of those that are paid now, and of their lenders."""
    if made:
        paying.cease(tx, made)
        lenders = {row.lender for row in pending if row.id in set(made)}
        findings.cease(
            tx, [key_of(FindingKind.LENDER_UNPAYABLE, f"lender {lender}") for lender in lenders]
        )
