"""Seats that were held for a day and not paid for: released, unless a payment keeps them.

The hot one: a million at once must not stand in anybody's way. A seat that is TENTATIVE is held by its
work row, which is locked and deleted here, and never written to: whoever else would change the seat (a
capture, a cancellation) locks that row first, so one of us finds it gone.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from db.aggregates import states_of
from db.bookings.places import freed
from db.transitions import take
from db.tx import Tx
from db.work import ClaimOrder, Next
from domain.appointments import RELEASE_TENTATIVE, SEATS, SeatState

AGAIN: Final = timedelta(hours=1)
"""When a seat is looked at again that a payment keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """How many seats were looked at, and released with how many appointments affected."""

    taken: int
    seats: int
    appointments: int


_RELEASE: Final = sa.text("""
    -- The predicate is asked here, after the locks: a payment that landed meanwhile keeps its seat.
    WITH released AS (
      UPDATE seats s SET state = 'RELEASED', updated_at = clock_timestamp()
      WHERE s.id = ANY(CAST(:ids AS uuid[])) AND s.state = 'TENTATIVE' AND s.updated_at <= :since
        AND NOT EXISTS (SELECT FROM payments p WHERE p.booking = s.booking
                          AND (p.state = 'PENDING' OR p.state = 'SUCCEEDED' AND NOT p.orphaned))
      RETURNING s.id, s.appointment, s.places),
    done AS (
      DELETE FROM work w USING released r WHERE w.subject = r.id AND w.job = :job),
    told AS (
      INSERT INTO moves (kind, subject, source, target, run, actor, reason)
      SELECT 'seat', id, 'TENTATIVE', 'RELEASED', :run, :actor, :reason FROM released),
    -- Appointments are locked in key order before any is changed.
    held AS MATERIALIZED (
      SELECT a.id, a.state, g.places
      FROM (SELECT appointment, sum(places) AS places FROM released GROUP BY appointment) g
      JOIN appointments a ON a.id = g.appointment ORDER BY a.id FOR UPDATE OF a),
    freed AS (
      UPDATE appointments a SET taken = a.taken - h.places, updated_at = clock_timestamp(),
             state = CASE WHEN h.state = 'TENTATIVE' THEN 'CANCELLED' ELSE h.state END
      FROM held h WHERE a.id = h.id RETURNING a.id, h.state),
    ended AS (
      INSERT INTO moves (kind, subject, source, target, run, actor, reason)
      SELECT 'appointment', id, 'TENTATIVE', 'CANCELLED', :run, :actor, :reason FROM freed WHERE state = 'TENTATIVE')
    SELECT (SELECT count(*) FROM released) AS seats, (SELECT count(*) FROM freed) AS appointments,
           -- Nobody waits for a private one.
           ARRAY(SELECT id FROM freed WHERE state <> 'TENTATIVE' ORDER BY id) AS shared,
           CASE WHEN (SELECT count(*) FROM released) < :asked
             THEN ARRAY(SELECT unnest(CAST(:ids AS uuid[])) EXCEPT SELECT id FROM released) END AS others""")


def release_tentative(tx: Tx, order: ClaimOrder, *, older: timedelta) -> Released:
    """Release up to `order.limit` seats that have been TENTATIVE for longer than `older`."""
    leased = take(tx, RELEASE_TENTATIVE, order)
    if not leased.held:
        return Released(taken=0, seats=0, appointments=0)
    since = tx.scalar(_SINCE, older=older)
    [row] = tx.rows(
        _RELEASE,
        ids=list(leased.held),
        asked=len(leased.held),
        since=since,
        job=RELEASE_TENTATIVE,
        run=order.run,
        actor=leased.actor,
        reason="not paid for in time",
    )
    # Asked after the locks: who joined the line before them is seen, and nobody joins meanwhile.
    freed(leased, row.shared)
    others = row.others or []
    where = states_of(tx, SEATS, others)
    leased.settle(
        [
            Next(subject=id_, job=RELEASE_TENTATIVE, delay=AGAIN)
            if where.get(id_) == SeatState.TENTATIVE
            else Next(subject=id_, job=None)
            for id_ in others
        ]
    )
    return Released(taken=len(leased.held), seats=row.seats, appointments=row.appointments)


_SINCE: Final = sa.text("SELECT clock_timestamp() - CAST(:older AS interval)")
