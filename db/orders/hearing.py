"""Hear what a payment gateway says of orders by itself: paid, or cancelled; each once, in whatever order it came.

An order is known by the gateway's name for it, or by our reference before that name was kept. What does
not fit our order (amount, currency, name) moves nothing: a person looks. What is about no order of ours
comes again for a while, since our own commit may be on its way.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import effects, findings
from db.bookings.expire import fail
from db.bookings.facts import grip
from db.effects import Outcome
from db.inbox.heard import Heard, Hearing, Word
from db.orders.capturing import Capture, take_in
from db.transitions import LeasedTx
from db.tx import Row, Tx
from domain.effects import EffectState
from domain.findings import FindingKind
from domain.ids import uuid_of
from domain.payments import OPEN_EFFECT
from domain.telling import ToldOrder

Said = tuple[Word[ToldOrder], Row]
"""A word, and the order it is about."""

_FIND: Final = sa.text("""
    SELECT w.event, coalesce(n.id, r.id) AS "order", coalesce(n.payment, r.payment) AS payment
    FROM unnest(CAST(:events AS uuid[]), CAST(:providers AS text[]), CAST(:names AS text[]), CAST(:references AS uuid[]))
      AS w (event, provider, name, reference)
    LEFT JOIN orders n ON n.provider = w.provider AND n.gateway_id = w.name
    LEFT JOIN orders r ON r.id = w.reference""")
_READ: Final = sa.text("""
    SELECT o.id, o.payment, o.amount, o.currency, o.provider, o.gateway_id, o.captured_as, e.key, e.state AS effect_state
    FROM orders o LEFT JOIN effects e ON e.key = effect_key(:kind, o.id, 1)
    WHERE o.id = ANY(CAST(:ids AS uuid[]))""")


def hear(tx: Tx, words: Sequence[Word[ToldOrder]], *, run: int) -> dict[UUID, Heard]:
    """Take in what `words` tell; returns what came of each event. One that is missing is to come again soon."""
    hearing = Hearing()
    found = {row.event: row for row in _found(tx, words)}
    known = [word for word in words if found[word.event].order is not None]
    for word in words:
        if found[word.event].order is None and not word.is_fresh:
            _belongs_to_nobody(word, hearing)
    if known:
        payments = {found[word.event].payment for word in known}
        leased, _ = grip(tx, list(payments), run=run, actor=f"run:{run}")
        ids = [found[word.event].order for word in known]
        orders = {row.id: row for row in leased.rows(_READ, kind=OPEN_EFFECT, ids=ids)}
        _settle(leased, [(word, orders[found[word.event].order]) for word in known], hearing)
    findings.report(tx, hearing.findings)
    return hearing.heard


def _found(tx: Tx, words: Sequence[Word[ToldOrder]]) -> Sequence[Row]:
    return tx.rows(
        _FIND,
        events=[word.event for word in words],
        providers=[word.provider for word in words],
        names=[word.told.order_id for word in words],
        references=[uuid_of(word.told.reference) for word in words],
    )


def _belongs_to_nobody(word: Word[ToldOrder], hearing: Hearing) -> None:
    """A capture may be replayed once its order is known, as after a restore; a try that was refused means nothing."""
    told = word.told
    if told.captured_as is None:
        hearing.conclude(word.event, f"orphan: {told.order_id} is no order of ours")
        return
    detail = (
        f"{told.amount_minor} {told.currency} (minor units) for {told.order_id}, no order of ours"
    )
    subject = f"capture {told.captured_as}"
    hearing.contradicts(word.event, FindingKind.PAYMENT_WITHOUT_ORDER, subject, detail)


def _settle(tx: LeasedTx, said: Sequence[Said], hearing: Hearing) -> None:
    fitting, names = list[Said](), dict[UUID, str]()
    for word, order in said:
        wrong = _contradiction(word, order, names)
        if wrong is not None:
            hearing.contradicts(word.event, wrong[0], f"order {order.id}", wrong[1])
            continue
        fitting.append((word, order))
        if word.told.captured_as is not None:
            names[order.id] = word.told.captured_as
    captured = {order.payment for _, order in fitting if order.id in names}
    came = take_in(
        tx, [c for one in fitting if (c := _capture(*one))], run=tx.holder, actor=tx.actor
    )
    _learn(tx, [one for one in fitting if one[1].id in names])
    over = {order.payment for _, order in fitting} - captured
    failed = set(fail(tx, sorted(over), run=tx.holder, actor=tx.actor)) if over else set()
    for word, order in fitting:
        hearing.conclude(word.event, _outcome(word, order, came, failed))


def _contradiction(
    word: Word[ToldOrder], order: Row, names: Mapping[UUID, str]
) -> tuple[FindingKind, str] | None:
    """How a word does not fit its order, which is held."""
    told = word.told
    name = order.captured_as or names.get(order.id) or told.captured_as
    ours = {
        "amount": (order.amount, told.amount_minor),
        "currency": (order.currency, told.currency),
        "gateway": (order.provider or word.provider, word.provider),
        "order": (order.gateway_id or told.order_id, told.order_id),
        "reference": (str(order.id), told.reference or str(order.id)),
    }
    wrong = [
        f"{what} is {theirs!r}, not {mine!r}"
        for what, (mine, theirs) in ours.items()
        if theirs != mine
    ]
    if wrong:
        return FindingKind.ORDER_MISMATCH, f"{told.order_id}: {', '.join(wrong)}"
    if told.captured_as is not None and told.captured_as != name:
        why = f"{told.captured_as} of {told.amount_minor} {told.currency}, beside {name}"
        return FindingKind.PAYMENT_CAPTURED_TWICE, why
    return None


def _capture(word: Word[ToldOrder], order: Row) -> Capture | None:
    if word.told.captured_as is None:
        return None
    return Capture(
        payment=order.payment,
        order=order.id,
        provider=word.provider,
        gateway_id=word.told.order_id,
        captured_as=word.told.captured_as,
        at=word.told.at,
    )


def _learn(tx: LeasedTx, captured: Sequence[Said]) -> None:
    """What was asked for, and nobody had heard of, is there: it was paid."""
    outcomes = {
        order.id: Outcome(
            key=order.key,
            answer="accepted",
            state=EffectState.ACCEPTED,
            detail="told by an event",
            provider_id=word.told.order_id,
        )
        for word, order in captured
        if order.effect_state in {EffectState.INTENDED, EffectState.UNKNOWN} and order.id in tx.held
    }
    effects.answered(tx, list(outcomes.items()))


def _outcome(word: Word[ToldOrder], order: Row, came: Mapping[UUID, str], failed: set[UUID]) -> str:
    if word.told.captured_as is not None:
        outcome = came[order.payment]
        return "nothing to do: it was captured before" if outcome == "already" else outcome
    return "failed" if order.payment in failed else "nothing to do: its checkout is over"
