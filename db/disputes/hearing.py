"""Hear what a gateway says of disputes: one that opens holds what was earned, one that ends frees it or takes it back.

A dispute is known by the gateway's name for it, its payment by that of the capture. The order in which
events come does not matter: an end is an end, and what was said before it changes nothing any more.
Lock order: payments, disputes, refunds, earnings.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import findings, installation
from db.bookings.facts import lock
from db.bookings.moving import shift
from db.earnings.deciding import contest, hold_rows
from db.inbox.heard import Heard, Hearing, Word
from db.refunds.taken import Taken, take_over
from db.transitions import LeasedTx, hold
from db.tx import Row, Tx
from domain.disputes import DISPUTES, DisputeState, dispute_id
from domain.findings import FindingKind, key_of
from domain.money import Minor, Money
from domain.refunds import Origin
from domain.telling import DisputeStatus, ToldDispute

_S: Final = DisputeStatus
_ENDS: Final = {
    _S.WON: DisputeState.WON,
    _S.LOST: DisputeState.LOST,
}

_FIND: Final = sa.text("""
    SELECT w.event, o.payment, o.amount, o.currency
    FROM unnest(CAST(:events AS uuid[]), CAST(:providers AS text[]), CAST(:captures AS text[])) AS w (event, provider, capture)
    LEFT JOIN orders o ON o.provider = w.provider AND o.captured_as = w.capture""")


def hear(tx: Tx, words: Sequence[Word[ToldDispute]], *, run: int) -> dict[UUID, Heard]:
    """Take in what `words` tell; returns what came of each event. One that is missing is to come again soon."""
    hearing = Hearing()
    found = {
        row.event: row
        for row in tx.rows(
            _FIND,
            events=[word.event for word in words],
            providers=[word.provider for word in words],
            captures=[word.told.captured_as for word in words],
        )
    }
    about = [word for word in words if _is_ours(word, found[word.event], hearing)]
    if about:
        leased = hold(tx, (), run=run, actor=f"run:{run}")
        _settle(leased, about, {word.event: found[word.event].payment for word in about}, hearing)
    findings.report(tx, hearing.findings)
    return hearing.heard


def _is_ours(word: Word[ToldDispute], order: Row, hearing: Hearing) -> bool:
    """Whether a word is about a capture of ours, and fits it."""
    told = word.told
    if order.payment is None:
        if not word.is_fresh:
            detail = f"{told.amount_minor} {told.currency} (minor units) of {told.captured_as}"
            subject = f"dispute {told.dispute_id}"
            hearing.contradicts(word.event, FindingKind.PAYMENT_WITHOUT_ORDER, subject, detail)
        return False
    if told.currency != order.currency or told.amount_minor > order.amount:
        why = f"{told.dispute_id} is of {told.amount_minor} {told.currency}, captured were {order.amount} {order.currency}"
        hearing.contradicts(word.event, FindingKind.ORDER_MISMATCH, f"payment {order.payment}", why)
        return False
    return True


_MEET: Final = sa.text("""
    INSERT INTO disputes (id, provider, name, payment, amount, currency)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:providers AS text[]), CAST(:names AS text[]), CAST(:payments AS uuid[]),
                         CAST(:amounts AS bigint[]), CAST(:currencies AS text[]))
    ON CONFLICT DO NOTHING""")
_READ: Final = sa.text("""
    SELECT id, payment, state, amount, currency FROM disputes
    WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE""")


def _settle(
    tx: LeasedTx,
    words: Sequence[Word[ToldDispute]],
    payments: Mapping[UUID, UUID],
    hearing: Hearing,
) -> None:
    here = installation.get(tx).id
    said = defaultdict[UUID, list[Word[ToldDispute]]](list)
    for word in words:
        said[dispute_id(here, word.provider, word.told.dispute_id)].append(word)
    lock(tx, "payment", list(payments.values()))
    first = {id_: spoken[0] for id_, spoken in sorted(said.items())}
    tx.run(
        _MEET,
        ids=list(first),
        providers=[word.provider for word in first.values()],
        names=[word.told.dispute_id for word in first.values()],
        payments=[payments[word.event] for word in first.values()],
        amounts=[word.told.amount_minor for word in first.values()],
        currencies=[word.told.currency for word in first.values()],
    )
    rows = tx.rows(_READ, ids=list(first))
    ended = {row.id: end for row in rows if (end := _judge(row, said[row.id], payments, hearing))}
    for end in sorted(set(ended.values())):
        over = {id_: DisputeState.OPEN for id_, which in ended.items() if which is end}
        shift(tx, DISPUTES, over, end)
    # One that was lost before, and did not fit then, is tried again as its event is replayed.
    lost = {row.id: row for row in rows if DisputeState.LOST in {ended.get(row.id), row.state}}
    _take_back(tx, list(lost.values()), said, hearing)
    _hold_or_free(tx, rows, ended.keys() | lost.keys(), hearing)


def _take_back(
    tx: LeasedTx,
    lost: Sequence[Row],
    said: Mapping[UUID, Sequence[Word[ToldDispute]]],
    hearing: Hearing,
) -> None:
    """What a lost dispute took of a payment is given back to its customer: a refund, of the gateway's leg alone.

    What does not fit, such as where a refund is reserved, is a finding, and its event FAILED: it is replayed once it does.
    """
    taken = [
        Taken(
            payment=row.payment,
            provider=said[row.id][0].provider,
            name=said[row.id][0].told.dispute_id,
            origin=Origin.DISPUTE,
            amount_minor=row.amount,
            currency=row.currency,
            why="lost to a dispute",
        )
        for row in lost
    ]
    wrong = take_over(tx, taken, by=tx.actor)
    for word in [word for row in lost for word in said[row.id] if word.told.status is _S.LOST]:
        name = word.told.dispute_id
        if (word.provider, name) in wrong:
            why = f"{name} is lost: {wrong[word.provider, name]}"
            hearing.contradicts(word.event, FindingKind.REFUND_UNASKED, f"dispute {name}", why)


def _judge(
    row: Row,
    said: Sequence[Word[ToldDispute]],
    payments: Mapping[UUID, UUID],
    hearing: Hearing,
) -> DisputeState | None:
    """How a dispute that is OPEN ends by what was said of it; None: it stays as it is."""
    state, end = DisputeState(row.state), None
    for word in said:
        told = word.told
        wanted = _ENDS.get(told.status)
        theirs = (payments[word.event], told.amount_minor, told.currency)
        if theirs != (row.payment, row.amount, row.currency):
            why = f"{told.dispute_id} is of {told.amount_minor} {told.currency} of {told.captured_as}, and was of {row.amount} {row.currency}"
            subject = f"payment {row.payment}"
            hearing.contradicts(word.event, FindingKind.ORDER_MISMATCH, subject, why)
        elif wanted is None:
            hearing.conclude(word.event, f"it is {told.raw_status}")
        elif wanted is (end or (state if state is not DisputeState.OPEN else wanted)):
            hearing.conclude(word.event, f"it is {wanted}")
            end = wanted
        else:
            why = f"{told.dispute_id} is {told.raw_status}, and was {end or state}"
            subject = f"payment {row.payment}"
            hearing.contradicts(word.event, FindingKind.PAYMENT_DISPUTED, subject, why)
    return end if state is DisputeState.OPEN else None


_OPEN: Final = sa.text("""
    -- What was lost, and is not in the books yet, holds what was earned too.
    SELECT DISTINCT d.payment FROM disputes d
    WHERE d.payment = ANY(CAST(:payments AS uuid[]))
      AND (d.state = 'OPEN' OR d.state = 'LOST' AND NOT EXISTS (
             SELECT FROM refunds r WHERE r.given_as = d.name AND r.given_by = d.provider))""")


def _hold_or_free(
    tx: LeasedTx, rows: Sequence[Row], ended: Collection[UUID], hearing: Hearing
) -> None:
    """Hold what was earned while a dispute of its payment is open; free it with the last one that ends."""
    payments = {row.payment for row in rows}
    open_ = {row.payment for row in tx.rows(_OPEN, payments=list(payments))}
    freed = {row.payment for row in rows if row.id in ended} - open_
    why = "disputed by its customer"
    hold_rows(tx, [*open_, *freed])
    contest(tx, list(open_), opens=True, actor=tx.actor, why=why)
    contest(tx, list(freed), opens=False, actor=tx.actor, why="its dispute has ended")
    for row in rows:
        if row.state == DisputeState.OPEN and row.id not in ended:
            amount = Money(minor=Minor(row.amount), currency=row.currency)
            detail = f"{amount} of payment {row.payment}: to be answered at the gateway"
            hearing.tell(FindingKind.PAYMENT_DISPUTED, f"dispute {row.id}", detail)
    findings.cease(tx, [key_of(FindingKind.PAYMENT_DISPUTED, f"dispute {id_}") for id_ in ended])
