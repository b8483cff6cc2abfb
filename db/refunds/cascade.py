"""Refunds that were given, into the books: once, with all that follows from them, in one transaction.

Lock order: the refunds' work rows, then all of their checkouts (whose payments so hold each other's refunds
off), refunds, earnings, accounts. A refund whose earning is being paid waits for the end of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import findings
from db.bookings.facts import Checkout, grip
from db.bookings.given_up import give_up
from db.refunds import books, mails
from db.refunds.books import Given
from db.transitions import LeasedTx, move, take
from db.tx import Tx
from db.work import ClaimOrder, Next
from domain.findings import FindingKind, key_of
from domain.refunds import CASCADE, REFUNDS, RefundState

AGAIN: Final = timedelta(minutes=1)
"""When a refund is looked at again whose earning is being paid."""
BEING_PAID: Final = (
    "the payout that pays its earning is being sent: whether it was paid is not known yet"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascaded:
    """How many refunds were taken, are in the books, and wait for a payout."""

    taken: int
    done: int
    waiting: int


_OF: Final = sa.text("""
    SELECT DISTINCT payment FROM refunds WHERE id = ANY(CAST(:ids AS uuid[])) AND state = 'SUCCEEDED'""")
_GIVE: Final = sa.text("""
    WITH given AS MATERIALIZED (SELECT * FROM give_back_earnings(CAST(:ids AS uuid[])))
    SELECT g.refund AS id, r.payment, r.origin, r.again_of, r.gateway, r.wallet, r.referral_credit, r.amount, g.part, g.is_paid, g.is_whole
    FROM given g JOIN refunds r ON r.id = g.refund ORDER BY g.refund""")
_MARK: Final = sa.text("""
    UPDATE payments SET given_back = true, updated_at = clock_timestamp() WHERE id = ANY(CAST(:ids AS uuid[]))""")
_WAITING: Final = sa.text("""
    SELECT id FROM refunds WHERE id = ANY(CAST(:ids AS uuid[])) AND state = 'SUCCEEDED'""")


def cascade(tx: Tx, order: ClaimOrder) -> Cascaded:
    """Bring due refunds that SUCCEEDED into the books."""
    due = take(tx, CASCADE, order)
    ids = list(due.held)
    if not ids:
        return Cascaded(taken=0, done=0, waiting=0)
    payments = [row.payment for row in due.rows(_OF, ids=ids)]
    leased, checkouts = grip(due, payments, run=order.run, actor=due.actor)
    by_payment = {checkout.payment: checkout for checkout in checkouts}
    given = [_given(row._asdict(), by_payment) for row in leased.rows(_GIVE, ids=ids)]
    done = [one.id for one in given]
    waiting = _put_off(leased, sorted(set(ids) - set(done)))
    _conclude(leased, given)
    return Cascaded(taken=len(ids), done=len(done), waiting=waiting)


def _given(row: dict[str, object], checkouts: dict[UUID, Checkout]) -> Given:
    payment = row.pop("payment")
    assert isinstance(payment, UUID), "a column of that type"
    return Given(checkout=checkouts[payment], **row)  # type: ignore[arg-type]  # the columns of its statement


def _put_off(tx: LeasedTx, refunds: Sequence[UUID]) -> int:
    """Look again at what waits for a payout; what was in the books before is handed on."""
    if not refunds:
        return 0
    waiting = {row.id for row in tx.rows(_WAITING, ids=list(refunds))}
    tx.settle(
        [
            Next(id_, CASCADE, AGAIN, tx.held[id_].tries + 1, BEING_PAID)
            if id_ in waiting
            else Next(subject=id_, job=None)
            for id_ in refunds
        ]
    )
    return len(waiting)


def _conclude(tx: LeasedTx, given: Sequence[Given]) -> None:
    if not given:
        return
    ids = [one.id for one in given]
    source, target = RefundState.SUCCEEDED, RefundState.CASCADED
    moved = move(tx, REFUNDS, ids, source=source, target=target)
    if len(moved) != len(ids):
        raise AssertionError("a locked refund whose part was written is SUCCEEDED")
    tx.settle([Next(subject=id_, job=None) for id_ in ids])
    whole = {one.checkout.payment: one.checkout for one in given if one.is_whole}
    if whole:
        tx.run(_MARK, ids=list(whole))
        give_up(tx, list(whole.values()))
    mails.tell(tx, ids)
    again = [one.again_of for one in given if one.again_of is not None]
    findings.cease(tx, [key_of(FindingKind.REFUND_CONTRADICTED, f"refund {id_}") for id_ in again])
    books.post(tx, given)
