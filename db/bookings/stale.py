"""Seats that were held for a day and not paid for: released, unless a payment keeps them.

The hot one: a million at once must not stand in anybody's way. A seat that is TENTATIVE is held by its
work row, which is locked and deleted here, and never written to: whoever else would change the seat (a
capture, a cancellation) locks that row first, so one of us finds it gone. Which seats they are passes from
one statement to the next as an array literal: as values of Python they would cost half as much again.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from db import holds
from db.bookings.places import freed_of
from db.transitions import hold
from db.tx import Tx
from db.work import ClaimOrder
from domain.appointments import RELEASE_TENTATIVE

AGAIN: Final = timedelta(hours=1)
"""When a seat is looked at again that a payment keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """How many seats were looked at, and released with how many appointments affected."""

    taken: int
    seats: int
    appointments: int


_AWAITED: Final = sa.text("""
    -- Their work rows are locked before any row: what is freed of them is offered. Where nobody waits at all, no seat is read for it.
    SELECT DISTINCT s.appointment FROM seats s
    WHERE EXISTS (SELECT FROM waitlist WHERE state = 'WAITING')
      AND s.id = ANY(CAST(:subjects AS uuid[]))
      AND EXISTS (SELECT FROM waitlist w WHERE w.appointment = s.appointment AND w.state = 'WAITING')""")
_RELEASE: Final = sa.text("""
    -- The predicate is asked here, after the locks: a payment that landed meanwhile keeps its seat.
    WITH taken AS MATERIALIZED (
      SELECT * FROM unnest(CAST(:subjects AS uuid[]), CAST(:places AS tid[])) AS t (id, place)),
    released AS (
      UPDATE seats s SET state = 'RELEASED', updated_at = clock_timestamp()
      FROM taken t
      WHERE s.id = t.id AND s.state = 'TENTATIVE' AND s.updated_at <= clock_timestamp() - CAST(:older AS interval)
        AND NOT EXISTS (SELECT FROM payments p WHERE p.booking = s.booking
                          AND (p.state = 'PENDING' OR p.state = 'SUCCEEDED' AND NOT p.orphaned))
      RETURNING s.id, s.appointment, s.places, t.place),
    -- Work rows where they are, since they are locked: no second way through an index.
    done AS (
      DELETE FROM work w USING released r WHERE w.ctid = r.place),
    others AS MATERIALIZED (
      SELECT t.place, s.state
      FROM taken t LEFT JOIN released r ON r.id = t.id LEFT JOIN seats s ON s.id = t.id WHERE r.id IS NULL),
    kept AS (
      UPDATE work w SET due_at = clock_timestamp() + CAST(:again AS interval), claims = 0, tries = 0, last_error = NULL
      FROM others o WHERE w.ctid = o.place AND o.state = 'TENTATIVE'),
    elsewhere AS (
      DELETE FROM work w USING others o WHERE w.ctid = o.place AND o.state IS DISTINCT FROM 'TENTATIVE'),
    told AS (
      INSERT INTO moves (kind, subject, source, target, run, actor, reason)
      SELECT 'seat', id, 'TENTATIVE', 'RELEASED', :run, :actor, :reason FROM released),
    -- Appointments are changed in key order, and so locked: a lock of its own would be one more write of each.
    given_back AS MATERIALIZED (
      SELECT appointment, sum(places) AS places FROM released GROUP BY appointment ORDER BY appointment),
    freed AS (
      UPDATE appointments a SET taken = a.taken - g.places, updated_at = clock_timestamp(),
             state = CASE WHEN a.state = 'TENTATIVE' THEN 'CANCELLED' ELSE a.state END
      FROM given_back g WHERE a.id = g.appointment RETURNING a.id, a.state),
    ended AS (
      INSERT INTO moves (kind, subject, source, target, run, actor, reason)
      SELECT 'appointment', id, 'TENTATIVE', 'CANCELLED', :run, :actor, :reason FROM freed WHERE state = 'CANCELLED')
    SELECT (SELECT count(*) FROM released) AS seats, (SELECT count(*) FROM freed) AS appointments,
           -- Nobody waits for a private one.
           CAST(ARRAY(SELECT id FROM freed WHERE state <> 'CANCELLED') AS text) AS shared""")


def release_tentative(tx: Tx, order: ClaimOrder, *, older: timedelta) -> Released:
    """Release up to `order.limit` seats that have been TENTATIVE for longer than `older`."""
    whole = holds.take_whole(tx, RELEASE_TENTATIVE, order)
    if whole is None:
        return Released(taken=0, seats=0, appointments=0)
    awaited = [row.appointment for row in tx.rows(_AWAITED, subjects=whole.subjects)]
    leased = hold(tx, awaited, run=order.run, actor=f"run:{order.run}")
    row = leased.row(
        _RELEASE,
        subjects=whole.subjects,
        places=whole.places,
        older=older,
        again=AGAIN,
        run=leased.holder,
        actor=leased.actor,
        reason="not paid for in time",
    )
    assert row is not None, "it counts"
    # Asked after the locks: who joined the line before them is seen, and nobody joins meanwhile.
    freed_of(leased, row.shared)
    return Released(taken=whole.taken, seats=row.seats, appointments=row.appointments)
