"""Claim orders that the gateway is to make, commit to asking for each, and write down what it said.

A lost reply leaves an order that may be there. Where the gateway keeps keys of orders, the same request
under the same key is the best question; where it keeps none the order is looked for by its reference,
and asked for again only if it is not found.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, NamedTuple, assert_never
from uuid import UUID

import sqlalchemy as sa

from db import effects, findings, transitions
from db.advance import Step, advance
from db.batch import Batch
from db.bookings.expire import fail
from db.effects import Intent, Outcome, Sendable
from db.orders import naming
from db.orders.gateway import Gateway, why_parked
from db.transitions import LeasedTx
from db.tx import Row, Tx
from db.work import ClaimOrder, Held, Next
from domain.answers import LookUpFailed, NotSent, Rejected, Unknown
from domain.backoff import PUT_BACK_SECONDS, delay
from domain.checkout_answers import Listed, OrderAnswer, OrderLookUp, ProviderOrder, Taken
from domain.effects import EffectState
from domain.errors import BadInputError
from domain.findings import Finding, FindingKind
from domain.payments import OPEN_EFFECT, OPEN_ORDERS, ORDERS, OrderState
from domain.ports import FrozenCall, OrderAsk
from domain.tally import Count, Tally


class Opening(NamedTuple):
    """An order about which the gateway is to be asked. Amount in minor units."""

    held: Held
    key: UUID
    payment: UUID
    amount: int
    currency: str
    effect: Sendable | None
    """What this transaction has committed to sending; None: the order is only looked for."""
    looks_first: bool
    """Whether it is looked for before it is sent."""
    left: timedelta
    """How long its customer may pay."""

    @property
    def reference(self) -> str:
        """What the gateway files it under."""
        return str(self.held.subject)

    def request(self, effect: Sendable) -> FrozenCall:
        """What is sent, with what its answer is held against."""
        return FrozenCall(
            key=effect.key.hex,
            body=effect.request,
            reference=self.reference,
            amount_minor=self.amount,
            currency=self.currency,
        )


class Opened(NamedTuple):
    """What the gateway said: of a look-up, and where it found nothing, or was not needed, of a send."""

    look_up: OrderLookUp | None = None
    sent: OrderAnswer | None = None


_READ: Final = sa.text("""
    SELECT o.id, o.payment, o.state, o.amount, o.currency, effect_key(:kind, o.id, 1) AS key,
           e.state AS effect_state, e.provider, e.sends > 0 AND e.state IN ('intended', 'unknown') AS may_be_there,
           greatest(p.expires_at - clock_timestamp(), interval '0') AS left,
           e.first_sent_at <= clock_timestamp() - make_interval(secs => :key_seconds) AS is_past_key
    FROM orders o JOIN payments p ON p.id = o.payment LEFT JOIN effects e ON e.key = effect_key(:kind, o.id, 1)
    WHERE o.id = ANY(CAST(:ids AS uuid[])) ORDER BY o.id""")


def start_opening(tx: Tx, gateway: Gateway, order: ClaimOrder) -> Batch[Opening]:
    """Claim orders that are to be made, and commit to asking for those that may be asked for."""
    leased = transitions.claim(tx, OPEN_ORDERS, order)
    if not leased.held:
        return Batch(items=[], taken=0)
    rows = tx.rows(_READ, kind=OPEN_EFFECT, ids=list(leased.held), key_seconds=gateway.key_seconds)
    instead = {row.id: _instead(gateway, leased.held[row.id], row) for row in rows}
    gone = leased.held.keys() - instead.keys()
    leased.settle(
        [Next(subject=id_, job=None) for id_ in gone] + [n for n in instead.values() if n]
    )
    due = [row for row in rows if instead[row.id] is None]
    bodies = {row.id: body for row in due if (body := _frozen(gateway, row)) is not None}
    items = _commit(leased, gateway, [row for row in due if row.id in bodies], bodies)
    if unfit := [row.payment for row in due if row.id not in bodies]:
        fail(leased, unfit, run=order.run, actor=leased.actor)
    return Batch(items=items, taken=len(leased.held))


def _instead(gateway: Gateway, held: Held, row: Row) -> Next | None:
    """What becomes of a claimed order instead of a question to the gateway; None asks."""
    if row.state != OrderState.NEW:
        call = ORDERS.call_for(row.state, None)
        return Next(subject=row.id, job=None if call is None else call.job)
    reason = why_parked(gateway, held, row.provider, may_be_there=bool(row.may_be_there))
    if row.effect_state in {EffectState.ACCEPTED, EffectState.REJECTED}:
        reason = f"its state {row.state} and its effect {row.effect_state} do not fit"
    if reason is None:
        return None
    return Next(subject=row.id, job=OPEN_ORDERS, parked=reason, error=reason)


def _frozen(gateway: Gateway, row: Row) -> str | None:
    """The request for an order; None where this gateway makes none of such an amount or currency."""
    asked = OrderAsk(reference=str(row.id), amount_minor=row.amount, currency=row.currency)
    try:
        return gateway.freeze(asked)
    except BadInputError:
        return None


def _commit(
    tx: LeasedTx, gateway: Gateway, due: Sequence[Row], bodies: Mapping[UUID, str]
) -> list[Opening]:
    """Write the intent of each that may be sent; one that is worn may only be found."""
    going = [
        row
        for row in due
        if not (row.may_be_there and (tx.held[row.id].is_worn or _is_past(gateway, row)))
    ]
    intents = [Intent(row.key, row.id, 1, bodies[row.id]) for row in going]
    committed = effects.intend(
        tx, intents, kind=OPEN_EFFECT, provider=gateway.name, account=gateway.account
    )
    sends = {sendable.subject: sendable for sendable in committed if sendable is not None}
    return [
        Opening(
            held=tx.held[row.id],
            key=row.key,
            payment=row.payment,
            amount=row.amount,
            currency=row.currency,
            effect=sends.get(row.id),
            looks_first=bool(row.may_be_there) and (not gateway.key_seconds or row.id not in sends),
            left=row.left,
        )
        for row in due
    ]


def _is_past(gateway: Gateway, row: Row) -> bool:
    """Whether its key may make another order by now."""
    return bool(gateway.key_seconds and row.is_past_key)


class Verdict(NamedTuple):
    """What becomes of an order: the gateway has it, refused it, or it waits; and what its effect learns."""

    item: Opening
    counted: Count
    outcome: Outcome | None = None
    made: ProviderOrder | None = None
    is_refused: bool = False
    next: Next | None = None
    finding: Finding | None = None


def conclude(
    tx: LeasedTx,
    gateway: str,
    answers: Sequence[tuple[Opening, Opened]],
    recover_seconds: tuple[float, ...],
) -> Tally:
    """Write down what the gateway said of each; the answers already read as evidence."""
    verdicts = [_of(item, opened, recover_seconds) for item, opened in answers]
    told = [(v.item.held.subject, v.outcome) for v in verdicts if v.outcome is not None]
    effects.answered(tx, told)
    lost = _open(tx, gateway, [v for v in verdicts if v.made is not None])
    tx.settle([v.next for v in verdicts if v.next is not None])
    findings.report(tx, [v.finding for v in verdicts if v.finding is not None])
    if refused := [v.item.payment for v in verdicts if v.is_refused]:
        # Without an order nobody can pay: the checkout ends, and its booking stays for another one.
        fail(tx, refused, run=tx.holder, actor=tx.actor)
    tally = Tally(Count.LOST if v.item.held.subject in lost else v.counted for v in verdicts)
    tally[Count.PROCESSED] = len(verdicts)
    return tally


def _open(tx: LeasedTx, gateway: str, verdicts: Sequence[Verdict]) -> set[UUID]:
    """Say what the gateway calls them: their customers may pay. Returns what others had moved."""
    names = {v.item.held.subject: v.made.provider_id for v in verdicts if v.made is not None}
    if not names:
        return set()
    naming.name(tx, gateway, names)
    left = {v.item.held.subject: v.item.left for v in verdicts}
    step = Step(source=OrderState.NEW, target=OrderState.OPEN, delays=left)
    return set(advance(tx, ORDERS, list(names), step).lost)


def _of(item: Opening, opened: Opened, recover_seconds: tuple[float, ...]) -> Verdict:
    match opened.look_up:
        case LookUpFailed(reason=reason, retry_after_seconds=wait):
            return _waits(item, recover_seconds, reason, wait or 0)
        case Listed(things=things) if things:
            return _found(item, things)
    if opened.sent is None:
        return _waits(
            item, recover_seconds, "the gateway does not have it, or does not show it yet"
        )
    return _of_send(item, opened.sent, recover_seconds)


def _found(item: Opening, things: Sequence[ProviderOrder]) -> Verdict:
    """Adopt what the gateway has under its reference; of several the first: nobody was told of any."""
    [first, *others] = sorted(things, key=lambda one: (one.created_at, one.provider_id))
    if (first.amount_minor, first.currency) != (item.amount, item.currency):
        return _contradicted(
            item, f"{first.provider_id} is of {first.amount_minor} {first.currency}"
        )
    also = f", beside {', '.join(one.provider_id for one in others)}" if others else ""
    return Verdict(item, Count.SUCCEEDED, naming.made(item.key, first, f"found{also}"), made=first)


def _of_send(item: Opening, answer: OrderAnswer, recover_seconds: tuple[float, ...]) -> Verdict:
    match answer:
        case Taken(thing=made):
            return Verdict(item, Count.SUCCEEDED, naming.made(item.key, made), made=made)
        case Rejected(code=code, reason=reason):
            refused = Outcome(item.key, "rejected", EffectState.REJECTED, f"{code}: {reason}")
            return Verdict(item, Count.FAILED, refused, is_refused=True)
        case NotSent(reason=reason):
            back = Outcome(item.key, "not_sent", EffectState.NOT_SENT, reason, sends=-1)
            again = _again(item, delay(PUT_BACK_SECONDS, item.held.tries), reason)
            return Verdict(item, Count.PUT_BACK, back, next=again)
        case Unknown(reason=reason, suspect=True):
            return _contradicted(item, reason)
        case Unknown(reason=reason, retry_after_seconds=wait):
            unknown = Outcome(item.key, "unknown", EffectState.UNKNOWN, reason)
            waits = _waits(item, recover_seconds, reason, wait or 0)
            return waits._replace(outcome=unknown)
        case _:
            assert_never(answer)


def _waits(
    item: Opening, recover_seconds: tuple[float, ...], reason: str, at_least: float = 0
) -> Verdict:
    """Nobody knows: it is asked about again. Its checkout's end ends it too."""
    wait = max(delay(recover_seconds, item.held.tries), timedelta(seconds=at_least))
    return Verdict(item, Count.UNKNOWN, next=_again(item, wait, reason))


def _again(item: Opening, wait: timedelta, reason: str) -> Next:
    return Next(item.held.subject, OPEN_ORDERS, wait, item.held.tries + 1, reason)


def _contradicted(item: Opening, reason: str) -> Verdict:
    """Nobody is told to pay an order that is not what was asked for; a person looks."""
    subject = f"order {item.reference}"
    parked = f"the gateway's answer contradicts the request: {reason}"
    return Verdict(
        item,
        Count.PARKED,
        Outcome(item.key, "unknown", EffectState.UNKNOWN, reason),
        next=Next(item.held.subject, OPEN_ORDERS, parked=parked, error=parked),
        finding=Finding(kind=FindingKind.ORDER_MISMATCH, subject=subject, detail=reason),
    )
