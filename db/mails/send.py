"""Claim mails for their server, commit to sending each, and write down what the server said."""

import json
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final, NamedTuple, assert_never
from uuid import UUID

import sqlalchemy as sa

from db import effects, findings, transitions
from db.advance import Step, advance
from db.batch import Batch
from db.effects import Intent, Outcome, Sendable
from db.transitions import LeasedTx
from db.tx import Row, Tx
from db.work import ClaimOrder, Held, Next
from domain.answers import NotSent, Rejected, Unknown
from domain.backoff import NOTICE_SECONDS, delay
from domain.effects import EffectState
from domain.findings import Finding, FindingKind, key_of
from domain.mails import (
    DOUBTS_MAX,
    EFFECT,
    MAILS,
    POLICIES,
    SEND,
    TRIES_MAX,
    InDoubt,
    Letter,
    MailAnswer,
    MailKind,
    MailState,
    Taken,
)
from domain.tally import Count, Tally


class Server(NamedTuple):
    """What a claim needs of a mail server: whose effects they are, and how a request is made."""

    name: str
    account: str
    freeze: Callable[[Letter], str]


class Sending(NamedTuple):
    """A mail that this transaction has committed to sending."""

    held: Held
    kind: MailKind
    effect: Sendable

    @property
    def subject(self) -> UUID:
        """The mail."""
        return self.held.subject


class Verdict(NamedTuple):
    """What becomes of a mail: where it moves (None: it waits), and what its effect learns."""

    held: Held
    target: MailState | None
    outcome: Outcome | None
    why: str | None = None


_READ: Final = sa.text("""
    SELECT m.id, m.state, m.kind, m.recipient, CAST(m.facts AS text) AS facts, m.generation, m.effect_key, m.created_at,
           -- An offer that was answered, or ended, is told of no more.
           m.good_until <= clock_timestamp() OR w.state NOT IN ('NOTIFIED', 'REMINDED') AS is_late,
           e.sends > 0 AND e.state IN ('intended', 'unknown') AS may_be_sent
    FROM mails m LEFT JOIN effects e ON e.key = m.effect_key
    LEFT JOIN waitlist w ON w.id = m.subject AND m.kind IN ('waitlist.offered', 'waitlist.reminder')
    WHERE m.id = ANY(CAST(:ids AS uuid[])) ORDER BY m.id""")

LATE: Final = "what it tells of was over"
CRASHED: Final = "its worker ended while it may have sent it"


def start_sending(tx: Tx, server: Server, order: ClaimOrder) -> Batch[Sending]:
    """Claim mails that are due, and commit to sending those that may be sent.

    One that comes too late is dropped. One that may have gone out with a worker that died is sent again
    only where its kind allows it; else it is UNSURE.
    """
    leased = transitions.claim(tx, SEND, order)
    if not leased.held:
        return Batch(items=[], taken=0)
    rows = tx.rows(_READ, ids=list(leased.held))
    due: list[Row] = []
    verdicts: list[Verdict] = []
    gone = [Next(subject=s, job=None) for s in leased.held.keys() - {row.id for row in rows}]
    for row in rows:
        held = leased.held[row.id]
        if row.state != MailState.QUEUED:
            gone.append(Next(subject=row.id, job=None))
        elif (verdict := _instead(held, row)) is not None:
            verdicts.append(verdict)
        else:
            due.append(row)
    leased.settle(gone)
    _apply(leased, verdicts)
    return Batch(items=_commit(leased, server, due), taken=len(leased.held))


def _instead(held: Held, row: Row) -> Verdict | None:
    """What becomes of a claimed mail instead of a send; None sends it."""
    asks = POLICIES[MailKind(row.kind)].in_doubt is InDoubt.ASK
    if row.may_be_sent and (asks or held.is_worn or row.is_late):
        unknown = Outcome(
            key=row.effect_key, answer="unknown", state=EffectState.UNKNOWN, detail=CRASHED
        )
        return Verdict(held, MailState.UNSURE, unknown, CRASHED)
    if row.is_late:
        return Verdict(held, MailState.DROPPED, None, LATE)
    return None


def _commit(tx: LeasedTx, server: Server, due: Sequence[Row]) -> list[Sending]:
    intents = [
        Intent(row.effect_key, row.id, row.generation, server.freeze(_letter(row))) for row in due
    ]
    sendables = effects.intend(
        tx, intents, kind=EFFECT, provider=server.name, account=server.account
    )
    if None in sendables:
        raise AssertionError("a mail that waits has no effect that ended")
    return [
        Sending(held=tx.held[row.id], kind=MailKind(row.kind), effect=effect)
        for row, effect in zip(due, sendables, strict=True)
        if effect is not None
    ]


def _letter(row: Row) -> Letter:
    return Letter(
        key=row.effect_key,
        kind=MailKind(row.kind),
        recipient=row.recipient,
        facts=json.loads(row.facts),
        written_at=row.created_at.isoformat(),
    )


def conclude(tx: LeasedTx, answers: Sequence[tuple[Sending, MailAnswer]]) -> Tally:
    """Write down what the server said of each; the answers already read as evidence."""
    verdicts = [_of_answer(sending, answer) for sending, answer in answers]
    lost = _apply(tx, verdicts)
    tally = Tally(Count.LOST if v.held.subject in lost else _COUNTS[v.target] for v in verdicts)
    tally[Count.PROCESSED] = len(verdicts)
    return tally


_COUNTS: Final = {
    MailState.SENT: Count.SUCCEEDED,
    MailState.FAILED: Count.FAILED,
    MailState.UNSURE: Count.UNKNOWN,
    None: Count.WAITING,
}


def _of_answer(sending: Sending, answer: MailAnswer) -> Verdict:
    held, key = sending.held, sending.effect.key
    match answer:
        case Taken(message_id=name, reply=reply):
            taken = Outcome(
                key=key,
                answer="accepted",
                state=EffectState.ACCEPTED,
                detail=reply,
                provider_id=name,
            )
            return Verdict(held, MailState.SENT, taken)
        case Rejected(code=code, reason=reason):
            detail = f"{code}: {reason}"
            refused = Outcome(key=key, answer="rejected", state=EffectState.REJECTED, detail=detail)
            return Verdict(held, MailState.FAILED, refused, detail)
        case NotSent(reason=reason):
            back = Outcome(
                key=key, answer="not_sent", state=EffectState.NOT_SENT, detail=reason, sends=-1
            )
            over = held.tries + 1 >= TRIES_MAX
            return Verdict(held, MailState.FAILED if over else None, back, reason)
        case Unknown(reason=reason):
            unknown = Outcome(key=key, answer="unknown", state=EffectState.UNKNOWN, detail=reason)
            again = POLICIES[sending.kind].in_doubt is InDoubt.SEND_AGAIN
            waits = again and sending.effect.sends < DOUBTS_MAX
            return Verdict(held, None if waits else MailState.UNSURE, unknown, reason)
        case _:
            assert_never(answer)


def _apply(tx: LeasedTx, verdicts: Sequence[Verdict]) -> set[UUID]:
    """Effects and their evidence, then states, then what waits; returns what others had moved."""
    effects.answered(tx, [(v.held.subject, v.outcome) for v in verdicts if v.outcome is not None])
    lost: set[UUID] = set()
    ended = sorted((v for v in verdicts if v.target is not None), key=_by)
    for (target, why), group in groupby(ended, key=_by):
        step = Step(source=MailState.QUEUED, target=target, reason=why or None)
        lost.update(advance(tx, MAILS, [v.held.subject for v in group], step).lost)
    tx.settle(
        [
            Next(v.held.subject, SEND, delay(NOTICE_SECONDS, v.held.tries), v.held.tries + 1, v.why)
            for v in verdicts
            if v.target is None
        ]
    )
    findings.cease(
        tx,
        [
            key_of(kind, _named(v.held.subject))
            for v in verdicts
            if v.target in {MailState.SENT, MailState.DROPPED}
            for kind in _FLAGS.values()
        ],
    )
    findings.report(
        tx,
        [
            Finding(kind=_FLAGS[v.target], subject=_named(v.held.subject), detail=v.why or "")
            for v in verdicts
            if v.target in _FLAGS
        ],
    )
    return lost


_FLAGS: Final = {
    MailState.UNSURE: FindingKind.MAIL_UNSURE,
    MailState.FAILED: FindingKind.MAIL_UNDELIVERED,
}


def _by(verdict: Verdict) -> tuple[str, str]:
    return verdict.target or "", verdict.why or ""


def _named(mail: UUID) -> str:
    return f"mail {mail}"
