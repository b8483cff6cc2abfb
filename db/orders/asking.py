"""Claim orders whose checkout's time is over, or that somebody asks about; the gateway says what became of each.

What was paid is captured, whether or not an event told of it: events may be lost, or late. What was not
paid ends with its checkout. While the gateway cannot be asked the checkout waits, for an hour at most
(`expire_checkouts`).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db import findings, transitions
from db.batch import Batch
from db.bookings.expire import end_unpaid_in_time, fail
from db.bookings.facts import grip
from db.clock import now
from db.orders.capturing import Capture, take_in
from db.orders.gateway import Gateway, why_parked
from db.transitions import LeasedTx
from db.tx import Row, Tx
from db.work import ClaimOrder, Held, Next
from domain.answers import LookUpFailed
from domain.backoff import RECOVER_SECONDS, delay
from domain.checkout_answers import OrderStatus, ProviderOrder
from domain.findings import Finding, FindingKind
from domain.payments import ASK_ORDERS, ORDERS, OrderState
from domain.tally import Count, Tally


class Asking(NamedTuple):
    """An order that the gateway is asked about. Amount in minor units."""

    held: Held
    payment: UUID
    amount: int
    currency: str
    gateway_id: str


Told = ProviderOrder | LookUpFailed | None
"""What the gateway said of an order; None: it has none of that name."""

_READ: Final = sa.text("""
    SELECT id, payment, state, amount, currency, provider, gateway_id FROM orders
    WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id""")


def start_asking(tx: Tx, gateway: Gateway, order: ClaimOrder) -> Batch[Asking]:
    """Claim orders that are to be asked about: a read needs no more than its lease."""
    leased = transitions.claim(tx, ASK_ORDERS, order)
    if not leased.held:
        return Batch(items=[], taken=0)
    rows = tx.rows(_READ, ids=list(leased.held))
    instead = {row.id: _instead(gateway, leased.held[row.id], row) for row in rows}
    gone = leased.held.keys() - instead.keys()
    leased.settle(
        [Next(subject=id_, job=None) for id_ in gone] + [n for n in instead.values() if n]
    )
    items = [
        Asking(leased.held[row.id], row.payment, row.amount, row.currency, row.gateway_id)
        for row in rows
        if instead[row.id] is None
    ]
    return Batch(items=items, taken=len(leased.held))


def _instead(gateway: Gateway, held: Held, row: Row) -> Next | None:
    """What becomes of a claimed order instead of a question; None asks."""
    if row.state != OrderState.OPEN:
        call = ORDERS.call_for(row.state, None)
        return Next(subject=row.id, job=None if call is None else call.job)
    reason = why_parked(gateway, held, row.provider, may_be_there=True)
    if reason is None:
        return None
    return Next(subject=row.id, job=ASK_ORDERS, parked=reason, error=reason)


def conclude(tx: LeasedTx, gateway: str, answers: Sequence[tuple[Asking, Told]]) -> Tally:
    """Capture what was paid, end what can or may not be paid any more; all else is asked about again."""
    paid, over, unpaid = list[tuple[Asking, str]](), list[Asking](), list[Asking]()
    nexts, found, tally = list[Next](), list[Finding](), Tally()
    for item, told in answers:
        match told:
            case LookUpFailed(reason=reason, retry_after_seconds=wait):
                nexts.append(_again(item, reason, wait or 0))
                tally[Count.UNKNOWN] += 1
            case ProviderOrder(status=OrderStatus.PAID) if not _fits(item, told):
                nexts.append(_parked(item, told))
                found.append(_mismatch(item, told))
                tally[Count.PARKED] += 1
            case ProviderOrder(status=OrderStatus.PAID, payment_id=str() as capture):
                paid.append((item, capture))
            case ProviderOrder(status=OrderStatus.PAID):
                nexts.append(_again(item, "it is paid, and its capture has no name yet"))
                tally[Count.UNKNOWN] += 1
            case ProviderOrder(status=OrderStatus.CLOSED):
                over.append(item)
            case _:
                unpaid.append(item)
    tx.settle(nexts)
    findings.report(tx, found)
    held = [[item for item, _ in paid], over, unpaid]
    if sum(map(bool, held)) > 1:
        # Each kind posts: whatever one of them locks is locked before any does.
        payments = [item.payment for kind in held for item in kind]
        grip(tx, payments, run=tx.holder, actor=tx.actor)
    _capture(tx, gateway, paid)
    if over:
        fail(tx, [item.payment for item in over], run=tx.holder, actor=tx.actor)
    waiting = _end(tx, unpaid)
    tally[Count.SUCCEEDED] += len(paid) + len(over) + len(unpaid) - waiting
    tally[Count.WAITING] += waiting
    tally[Count.PROCESSED] = len(answers)
    return tally


def _fits(item: Asking, order: ProviderOrder) -> bool:
    return (order.amount_minor, order.currency) == (item.amount, item.currency)


def _again(item: Asking, reason: str, at_least: float = 0) -> Next:
    wait = max(delay(RECOVER_SECONDS, item.held.tries).total_seconds(), at_least)
    return Next(item.held.subject, ASK_ORDERS, timedelta(seconds=wait), item.held.tries + 1, reason)


def _mismatch(item: Asking, order: ProviderOrder) -> Finding:
    subject = f"order {item.held.subject}"
    return Finding(kind=FindingKind.ORDER_MISMATCH, subject=subject, detail=_differs(item, order))


def _differs(item: Asking, order: ProviderOrder) -> str:
    return (
        f"{order.provider_id} was paid {order.amount_minor} {order.currency}, "
        f"not {item.amount} {item.currency} (minor units)"
    )


def _parked(item: Asking, order: ProviderOrder) -> Next:
    """What was paid is not what was asked for: nothing is booked of it, and a person looks."""
    reason = _differs(item, order)
    return Next(item.held.subject, ASK_ORDERS, parked=reason, error=reason)


def _capture(tx: LeasedTx, gateway: str, paid: Sequence[tuple[Asking, str]]) -> None:
    """Nobody knows when it was paid, so it is now."""
    if not paid:
        return
    at = now(tx)
    captures = [
        Capture(
            payment=item.payment,
            order=item.held.subject,
            provider=gateway,
            gateway_id=item.gateway_id,
            captured_as=capture,
            at=at,
        )
        for item, capture in paid
    ]
    take_in(tx, captures, run=tx.holder, actor=tx.actor)


def _end(tx: LeasedTx, unpaid: Sequence[Asking]) -> int:
    """End the checkouts of these whose time is over; the others are asked about at their end. Returns how many."""
    if not unpaid:
        return 0
    left = end_unpaid_in_time(tx, [item.payment for item in unpaid])
    tx.settle(
        [
            Next(item.held.subject, ASK_ORDERS, left[item.payment])
            for item in unpaid
            if item.payment in left
        ]
    )
    return len(left)
