"""Appointments whose last slot has ended: they are over, and what was booked of them is completed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.facts import lock
from db.bookings.moving import shift
from db.clock import now
from db.transitions import take
from db.tx import Tx
from db.waitlist.skip import skip
from db.work import ClaimOrder, Next
from domain.appointments import APPOINTMENTS, COMPLETE, AppointmentState
from domain.bookings import BOOKINGS, BookingState


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How many appointments were taken and are over, with how many bookings."""

    taken: int
    over: int
    bookings: int


_BOOKED: Final = sa.text("""
    SELECT DISTINCT booking FROM seats
    WHERE appointment = ANY(CAST(:ids AS uuid[])) AND state = 'CONFIRMED'""")
_ENDING: Final = sa.text("""
    SELECT id, state, ends_at FROM appointments WHERE id = ANY(CAST(:ids AS uuid[]))""")


def complete(tx: Tx, order: ClaimOrder) -> Completed:
    """End due appointments that are PLANNED, and the bookings that have no seat at a later one.

    Which bookings those are is read before they are locked: whoever confirms a seat at an appointment, or
    frees one, holds its work row as this does. What a file brings in meanwhile is ended with them.
    """
    leased = take(tx, COMPLETE, order)
    ids = list(leased.held)
    if not ids:
        return Completed(taken=0, over=0, bookings=0)
    bookings = [row.booking for row in leased.rows(_BOOKED, ids=ids)]
    lock(leased, "booking", bookings)
    lock(leased, "appointment", ids)
    at = now(leased)
    standing = {
        row.id: row.ends_at
        for row in leased.rows(_ENDING, ids=ids)
        if row.state == AppointmentState.PLANNED
    }
    over = [id_ for id_, ends_at in standing.items() if ends_at <= at]
    leased.settle([_next(id_, standing.get(id_), at) for id_ in sorted({*ids} - {*over})])
    done = _ended(leased, over)
    shift(leased, BOOKINGS, done, BookingState.COMPLETED, reason="its appointment is over")
    planned = dict.fromkeys(over, AppointmentState.PLANNED)
    shift(leased, APPOINTMENTS, planned, AppointmentState.OVER)
    skip(leased, over)
    return Completed(taken=len(ids), over=len(over), bookings=len(done))


def _next(appointment: UUID, ends_at: datetime | None, at: datetime) -> Next:
    """What was moved to a later time waits for that."""
    if ends_at is None:
        return Next(subject=appointment, job=None)
    return Next(subject=appointment, job=COMPLETE, delay=ends_at - at)


_DONE: Final = sa.text("""
    SELECT DISTINCT b.id, b.state FROM seats s JOIN bookings b ON b.id = s.booking
    WHERE s.appointment = ANY(CAST(:ids AS uuid[])) AND s.state = 'CONFIRMED' AND b.state IN ('SCHEDULED', 'APPROVED')
      AND NOT EXISTS (SELECT FROM seats o JOIN appointments a ON a.id = o.appointment
                      WHERE o.booking = b.id AND o.state = 'CONFIRMED' AND a.state IN ('PLANNED', 'FREED')
                        AND a.id <> ALL(CAST(:ids AS uuid[])))""")


def _ended(tx: Tx, over: Sequence[UUID]) -> dict[UUID, str]:
    return {row.id: row.state for row in tx.rows(_DONE, ids=list(over))} if over else {}
