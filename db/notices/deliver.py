"""Claim notices for their receiver, in the order of each subject, and write down what was heard.

A subject's notice is sent only when none before it is PENDING. One that is claimed too early is handed on
to when the one before it is tried next: nothing is held meanwhile, and no other subject waits. That this
look is enough follows from how notices are made: under the lock of their subject's row, so that an earlier
one is committed before a later one exists.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db import findings, transitions
from db.advance import Step, advance
from db.batch import Batch
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder, Held, Next
from domain.backoff import NOTICE_SECONDS, delay
from domain.findings import Finding, FindingKind, key_of
from domain.notices import DELIVER, NOTICES, TRIES_MAX, NoticeState
from domain.tally import Count, Tally

WAIT_MIN: Final = timedelta(seconds=1)
WAIT_MAX: Final = timedelta(hours=1)
"""How long one may wait for the one before it without another look: that one may be parked."""


class Sending(NamedTuple):
    """A notice that is to be sent, as it was written down: `body` is what is signed."""

    held: Held
    body: str

    @property
    def id(self) -> UUID:
        """What the receiver tells repeats by."""
        return self.held.subject


_READ: Final = sa.text("""
    SELECT n.id, n.state, CAST(n.payload AS text) AS body, before.due_in
    FROM notices n
    -- The nearest before it that is not done; its work row says when it is tried next.
    LEFT JOIN LATERAL (
      SELECT CAST(coalesce(extract(epoch FROM NULLIF(w.due_at, 'infinity') - clock_timestamp()), :most) AS float8) AS due_in
      FROM notices e LEFT JOIN work w ON w.job = :job AND w.subject = e.id
      WHERE e.subject = n.subject AND e.sequence < n.sequence AND e.state = 'PENDING'
      ORDER BY e.sequence DESC LIMIT 1) before ON true
    WHERE n.id = ANY(CAST(:ids AS uuid[]))""")


def start_delivering(tx: Tx, order: ClaimOrder) -> Batch[Sending]:
    """Claim notices that are due; those that come too early are handed on."""
    leased = transitions.claim(tx, DELIVER, order)
    if not leased.held:
        return Batch(items=[], taken=0)
    most = WAIT_MAX.total_seconds()
    rows = tx.rows(_READ, ids=list(leased.held), job=DELIVER, most=most)
    sendings: list[Sending] = []
    nexts = [Next(subject=gone, job=None) for gone in leased.held.keys() - {r.id for r in rows}]
    for row in rows:
        held = leased.held[row.id]
        if (elsewhere := _instead(held, NoticeState(row.state), row.due_in)) is not None:
            nexts.append(elsewhere)
        else:
            sendings.append(Sending(held=held, body=row.body))
    leased.settle(nexts)
    return Batch(items=sendings, taken=len(leased.held))


def _instead(held: Held, state: NoticeState, due_in: float | None) -> Next | None:
    """What becomes of a claimed row instead of a send; None sends it."""
    if state is not NoticeState.PENDING:
        return Next(subject=held.subject, job=None)
    if held.is_worn:
        reason = f"claimed {held.claims - 1} times without a settle"
        return Next(subject=held.subject, job=DELIVER, parked=reason, error=reason)
    if due_in is None:
        return None
    wait = min(max(timedelta(seconds=due_in), WAIT_MIN), WAIT_MAX)
    told = "an earlier notice of its subject is not delivered yet"
    return Next(subject=held.subject, job=DELIVER, delay=wait, tries=held.tries, error=told)


def conclude(tx: LeasedTx, heard: Sequence[tuple[Held, str | None]]) -> Tally:
    """Write down what was heard of each: None ends it, a reason is tried again, or given up in the end."""
    whys = {held.subject: why for held, why in heard if why is not None}
    over = [h.subject for h, why in heard if why is not None and h.tries + 1 >= TRIES_MAX]
    delivered = [held.subject for held, why in heard if why is None]
    ends = [
        advance(tx, NOTICES, subjects, Step(source=NoticeState.PENDING, target=target))
        for subjects, target in ((delivered, NoticeState.DELIVERED), (over, NoticeState.FAILED))
    ]
    again = [(h, why) for h, why in heard if why is not None and h.subject not in over]
    tx.settle(
        [
            Next(h.subject, DELIVER, delay(NOTICE_SECONDS, h.tries), tries=h.tries + 1, error=why)
            for h, why in again
        ]
    )
    findings.cease(tx, [key_of(FindingKind.NOTICE_UNDELIVERED, _named(s)) for s in delivered])
    findings.report(tx, [_given_up(subject, whys[subject]) for subject in over])
    tally = Tally({Count.PROCESSED: len(heard), Count.WAITING: len(again)})
    tally[Count.SUCCEEDED], tally[Count.FAILED] = (len(end.moved) for end in ends)
    tally[Count.LOST] = sum(len(end.lost) for end in ends)
    return tally


def _named(subject: UUID) -> str:
    return f"notice {subject}"


def _given_up(subject: UUID, why: str) -> Finding:
    detail = f"not delivered in {TRIES_MAX} tries; the last: {why}"
    return Finding(kind=FindingKind.NOTICE_UNDELIVERED, subject=_named(subject), detail=detail)


_MOVED: Final = sa.text("""
    SELECT m.subject FROM moves m
    JOIN unnest(CAST(:subjects AS uuid[]), CAST(:tokens AS bigint[])) AS h (subject, token)
      ON m.subject = h.subject AND m.token = h.token
    WHERE m.kind = 'notice'""")


def ended_under(tx: Tx, held: Sequence[Held]) -> set[UUID]:
    """Which were ended under their token: the evidence after a settle whose commit is unknown."""
    tokens = [h.token for h in held]
    rows = tx.rows(_MOVED, subjects=[h.subject for h in held], tokens=tokens)
    return {row.subject for row in rows}
