"""Claim orders whose checkout ended unpaid: the gateway forgets them, or says that they were paid after all.

Whatever a gateway says of a cancel, nothing here becomes what it was. An order that nobody can forget is
looked at, and once more a day later; what was paid meanwhile is taken in, whether or not an event told of it.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db import effects, findings, transitions
from db.advance import Step, advance
from db.batch import Batch
from db.clock import now
from db.effects import Intent, Outcome, Sendable
from db.orders import naming
from db.orders.capturing import Capture, take_in
from db.orders.gateway import Gateway, why_parked
from db.transitions import LeasedTx
from db.tx import Row, Tx
from db.work import ClaimOrder, Held, Next
from domain.answers import LookUpFailed, NotSent, Rejected
from domain.backoff import CLOSE_SECONDS, delay
from domain.checkout_answers import OrderAnswer, OrderStatus, ProviderOrder, Taken
from domain.effects import EffectState
from domain.findings import Finding, FindingKind
from domain.payments import CLOSE_EFFECT, CLOSE_ORDERS, OPEN_EFFECT, ORDERS, OrderState
from domain.tally import Count, Tally

LOOK_AGAIN: Final = timedelta(hours=24)
"""When an order that no cancel ends is looked at once more: as long as Razorpay tries to tell what was paid."""
LOOKED_AT: Final = 100
"""The tries of one that was seen unpaid: they go on from here, so that the next look is the last."""
NEVER_THERE: Final = "its gateway never had it"


class Closing(NamedTuple):
    """An order that the gateway is to forget."""

    held: Held
    key: UUID
    made_by: UUID
    """The effect that asked for it."""
    payment: UUID
    amount: int
    """In minor units."""
    currency: str
    gateway_id: str | None
    """None: it may be there, under its reference."""
    is_settled_at: bool
    """Whether finding nothing says that there is nothing."""
    effect: Sendable | None
    """What this transaction has committed to; None: it is only looked at."""

    @property
    def reference(self) -> str:
        """What the gateway files it under."""
        return str(self.held.subject)


class Closed(NamedTuple):
    """What the gateway said: of a cancel, where there was one, and of where the order is."""

    cancel: OrderAnswer | None = None
    told: ProviderOrder | LookUpFailed | None = None
    """None: it has no such order."""


_READ: Final = sa.text("""
    SELECT o.id, o.payment, o.state, o.amount, o.currency, o.gateway_id, effect_key(:kind, o.id, 1) AS key,
           effect_key(:made_by, o.id, 1) AS made_by, coalesce(o.provider, e.provider) AS provider,
           o.gateway_id IS NOT NULL OR coalesce(e.sends > 0 AND e.state IN ('intended', 'unknown'), false) AS may_be_there,
           coalesce(e.updated_at <= clock_timestamp() - CAST(:grace AS interval), true) AS is_settled_at
    FROM orders o LEFT JOIN effects e ON e.key = effect_key(:made_by, o.id, 1)
    WHERE o.id = ANY(CAST(:ids AS uuid[])) ORDER BY o.id""")


def start_closing(tx: Tx, gateway: Gateway, order: ClaimOrder) -> Batch[Closing]:
    """Claim orders that are to be forgotten, and commit to a cancel of each that the gateway may have."""
    leased = transitions.claim(tx, CLOSE_ORDERS, order)
    if not leased.held:
        return Batch(items=[], taken=0)
    rows = tx.rows(
        _READ,
        kind=CLOSE_EFFECT,
        made_by=OPEN_EFFECT,
        ids=list(leased.held),
        grace=gateway.grace,
    )
    closing = [row for row in rows if row.state == OrderState.CLOSING]
    absent = [row.id for row in closing if not row.may_be_there]
    there = [row for row in closing if row.may_be_there]
    parked = {row.id: _parked(gateway, leased.held[row.id], row) for row in there}
    elsewhere = {row.id: row.state for row in rows if row.state != OrderState.CLOSING}
    gone = leased.held.keys() - {row.id for row in closing} - elsewhere.keys()
    leased.settle(
        [Next(subject=id_, job=_waits_for(elsewhere.get(id_))) for id_ in {*gone, *elsewhere}]
        + [n for n in parked.values() if n is not None]
    )
    _end(leased, dict.fromkeys(absent, NEVER_THERE))
    items = _commit(leased, gateway, [row for row in there if parked[row.id] is None])
    return Batch(items=items, taken=len(leased.held))


def _waits_for(state: str | None) -> str | None:
    call = None if state is None else ORDERS.call_for(state, None)
    return None if call is None else call.job


def _parked(gateway: Gateway, held: Held, row: Row) -> Next | None:
    reason = why_parked(gateway, held, row.provider, may_be_there=True)
    if reason is None:
        return None
    return Next(subject=row.id, job=CLOSE_ORDERS, parked=reason, error=reason)


def _end(tx: LeasedTx, reasons: dict[UUID, str]) -> set[UUID]:
    """Orders that are over, each for a reason; returns those that others had moved."""
    lost = set[UUID]()
    by_reason = sorted(reasons.items(), key=lambda one: (one[1], one[0]))
    for reason, group in groupby(by_reason, key=lambda one: one[1]):
        step = Step(source=OrderState.CLOSING, target=OrderState.CLOSED, reason=reason)
        lost.update(advance(tx, ORDERS, [id_ for id_, _ in group], step).lost)
    return lost


def _commit(tx: LeasedTx, gateway: Gateway, due: Sequence[Row]) -> list[Closing]:
    going = [row for row in due if gateway.forgets and not tx.held[row.id].is_worn]
    intents = [Intent(row.key, row.id, 1, _request(row.id)) for row in going]
    committed = effects.intend(
        tx, intents, kind=CLOSE_EFFECT, provider=gateway.name, account=gateway.account
    )
    cancels = {sendable.subject: sendable for sendable in committed if sendable is not None}
    return [
        Closing(
            held=tx.held[row.id],
            key=row.key,
            made_by=row.made_by,
            payment=row.payment,
            amount=row.amount,
            currency=row.currency,
            gateway_id=row.gateway_id,
            is_settled_at=row.is_settled_at,
            effect=cancels.get(row.id),
        )
        for row in due
    ]


def _request(order: UUID) -> str:
    return json.dumps({"cancel": str(order)}, separators=(",", ":"))


class Verdict(NamedTuple):
    """What becomes of an order: it is over, was paid, or is asked about again; and what its cancel learns."""

    item: Closing
    counted: Count
    outcome: Outcome | None = None
    ended: str | None = None
    paid: ProviderOrder | None = None
    next: Next | None = None
    finding: Finding | None = None


def conclude(tx: LeasedTx, gateway: Gateway, answers: Sequence[tuple[Closing, Closed]]) -> Tally:
    """Write down what the gateway said of each."""
    verdicts = [_of(item, closed) for item, closed in answers]
    cancelled = [
        (v.item.held.subject, v.outcome)
        for v in verdicts
        if v.outcome is not None and v.item.effect is not None
    ]
    found = [(item, order) for item, closed in answers if (order := _found(item, closed))]
    made = [(item.held.subject, naming.made(item.made_by, order)) for item, order in found]
    effects.answered(tx, [*cancelled, *made])
    naming.name(tx, gateway.name, {item.held.subject: o.provider_id for item, o in found})
    tx.settle([v.next for v in verdicts if v.next is not None])
    findings.report(tx, [v.finding for v in verdicts if v.finding is not None])
    lost = _end(tx, {v.item.held.subject: v.ended for v in verdicts if v.ended is not None})
    take_in(tx, _captures(tx, gateway, verdicts), run=tx.holder, actor=tx.actor)
    tally = Tally(Count.LOST if v.item.held.subject in lost else v.counted for v in verdicts)
    tally[Count.PROCESSED] = len(verdicts)
    return tally


def _found(item: Closing, closed: Closed) -> ProviderOrder | None:
    """What the gateway has after all under the reference of an order that nobody knew it to have."""
    if item.gateway_id is not None:
        return None
    if isinstance(closed.cancel, Taken):
        return closed.cancel.thing
    return closed.told if isinstance(closed.told, ProviderOrder) else None


def _captures(tx: Tx, gateway: Gateway, verdicts: Sequence[Verdict]) -> list[Capture]:
    """What was paid though its checkout had ended; nobody knows when, so it is now."""
    paid = [(v.item, v.paid) for v in verdicts if v.paid is not None]
    at = now(tx) if paid else None
    return [
        Capture(
            payment=item.payment,
            order=item.held.subject,
            provider=gateway.name,
            gateway_id=order.provider_id,
            captured_as=order.payment_id,
            at=at,
        )
        for item, order in paid
        if order.payment_id is not None and at is not None
    ]


def _of(item: Closing, closed: Closed) -> Verdict:
    if isinstance(closed.cancel, Taken):
        return _over(item, closed.cancel.thing, "the gateway forgot it")
    match closed.told:
        case LookUpFailed(reason=reason, retry_after_seconds=wait):
            return _again(item, closed, reason, wait or 0)
        case None if item.gateway_id is None and item.is_settled_at:
            return Verdict(item, Count.SUCCEEDED, ended=NEVER_THERE)
        case None:
            return _again(item, closed, "the gateway does not show it")
        case ProviderOrder(status=OrderStatus.PAID) as paid if not _fits(item, paid):
            return _contradicted(item, paid)
        case ProviderOrder(status=OrderStatus.PAID, payment_id=str()) as paid:
            refused = Outcome(item.key, "rejected", EffectState.REJECTED, "it was paid")
            return Verdict(item, Count.SUCCEEDED, refused, paid=paid)
        case ProviderOrder(status=OrderStatus.CLOSED) as order:
            return _over(item, order, "the gateway had forgotten it")
        case order if item.effect is None and item.held.tries >= LOOKED_AT:
            return Verdict(item, Count.SUCCEEDED, ended=f"not paid: {order.raw_status}")
        case order if item.effect is None:
            again = Next(item.held.subject, CLOSE_ORDERS, LOOK_AGAIN, LOOKED_AT)
            return Verdict(item, Count.WAITING, next=again)
        case order:
            return _again(item, closed, f"it is {order.raw_status}")


def _fits(item: Closing, order: ProviderOrder) -> bool:
    return (order.amount_minor, order.currency) == (item.amount, item.currency)


def _contradicted(item: Closing, order: ProviderOrder) -> Verdict:
    """What was paid is not what was asked for: nothing is booked of it, and a person looks."""
    reason = (
        f"{order.provider_id} was paid {order.amount_minor} {order.currency}, "
        f"not {item.amount} {item.currency} (minor units)"
    )
    return Verdict(
        item,
        Count.PARKED,
        next=Next(item.held.subject, CLOSE_ORDERS, parked=reason, error=reason),
        finding=Finding(
            kind=FindingKind.ORDER_MISMATCH, subject=f"order {item.reference}", detail=reason
        ),
    )


def _over(item: Closing, order: ProviderOrder, why: str) -> Verdict:
    """The gateway lets nobody pay it any more."""
    outcome = Outcome(
        key=item.key,
        answer="accepted",
        state=EffectState.ACCEPTED,
        # A cancel has no name of its own: where it was sent is one.
        provider_id=f"{order.provider_id}/cancel",
        status=order.raw_status,
    )
    return Verdict(item, Count.SUCCEEDED, outcome, ended=why)


def _again(item: Closing, closed: Closed, reason: str, at_least: float = 0) -> Verdict:
    """Asked again later; what the cancel was answered is kept, and decides nothing."""
    wait = max(delay(CLOSE_SECONDS, item.held.tries), timedelta(seconds=at_least))
    outcome = None
    match closed.cancel:
        case NotSent(reason=why):
            outcome = Outcome(item.key, "not_sent", EffectState.NOT_SENT, why, sends=-1)
        case Rejected(code=code, reason=why):
            outcome = Outcome(item.key, "rejected", None, f"{code}: {why}")
        case None:
            pass
        case other:
            assert not isinstance(other, Taken), "what was taken is over"
            outcome = Outcome(item.key, "unknown", EffectState.UNKNOWN, other.reason)
    again = Next(item.held.subject, CLOSE_ORDERS, wait, item.held.tries + 1, reason)
    return Verdict(item, Count.WAITING, outcome, next=again)
