"""Take events that wait, and conclude them: in the one transaction in which what they say is written."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db import findings, transitions
from db.advance import Step, advance
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder, Next
from domain.findings import Finding, FindingKind
from domain.inbox import APPLY, EVENTS, EventState

SOON: Final = timedelta(seconds=1)
"""When an event comes again whose payout a worker holds."""


class Event(NamedTuple):
    """One event as it was received, its signature checked then."""

    id: UUID
    provider: str
    type: str
    body: bytes
    is_fresh: bool
    """Whether it came just now: what it is about may not be committed here yet."""


_READ: Final = sa.text("""
    SELECT id, provider, type, body, created_at > clock_timestamp() - interval '2 minutes' AS is_fresh FROM inbox
    WHERE id = ANY(CAST(:ids AS uuid[])) AND state = 'RECEIVED' ORDER BY created_at, id""")


def take(tx: Tx, order: ClaimOrder) -> tuple[LeasedTx, list[Event]]:
    """Hold events that wait for `webhooks.apply`; returns them in the order they were received."""
    leased = transitions.take(tx, APPLY, order)
    if not leased.held:
        return leased, []
    rows = tx.rows(_READ, ids=list(leased.held))
    waiting = {row.id for row in rows}
    leased.settle([Next(subject=gone, job=None) for gone in leased.held if gone not in waiting])
    return leased, [
        Event(row.id, row.provider, row.type, bytes(row.body), row.is_fresh) for row in rows
    ]


class Concluded(NamedTuple):
    """What came of one event, in words a person reads."""

    event: UUID
    state: EventState
    outcome: str


def conclude(leased: LeasedTx, ended: Sequence[Concluded], *, again: Sequence[UUID] = ()) -> None:
    """Write what came of held events, under their lease; those of `again` come again soon."""
    for state in (EventState.APPLIED, EventState.FAILED):
        if words := {c.event: c.outcome for c in ended if c.state is state}:
            step = Step(source=EventState.RECEIVED, target=state, words=words)
            advance(leased, EVENTS, list(words), step)
    findings.report(leased, [_failed(c) for c in ended if c.state is EventState.FAILED])
    tries = leased.held
    leased.settle(
        [Next(subject=event, job=APPLY, delay=SOON, tries=tries[event].tries) for event in again]
    )


def _failed(concluded: Concluded) -> Finding:
    subject = f"{EVENTS.kind} {concluded.event}"
    return Finding(kind=FindingKind.EVENT_FAILED, subject=subject, detail=concluded.outcome)
