"""A booking that was paid is moved: to another appointment of its plan, or for a private plan to other times."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.facts import lock
from db.bookings.moving import shift
from db.bookings.places import give_back
from db.bookings.seating import busy_at, take_places
from db.clock import now
from db.transitions import LeasedTx, hold
from db.tx import Row, Tx
from db.work import Next
from domain.appointments import COMPLETE, SEATS, STANDING, SeatState
from domain.booking_errors import NotOpenError, TimeTakenError, UnknownError
from domain.bookings import BookingState, PlanKind
from domain.checkouts import spans
from domain.errors import BadInputError
from domain.owners import CustomerOwner, owned_by

REASON: Final = "moved"

_OWN: Final = sa.text("""
    SELECT s.id AS seat, s.appointment, s.places, l.consultant
    FROM bookings b JOIN plans l ON l.id = b.plan LEFT JOIN seats s ON s.booking = b.id AND s.state = 'CONFIRMED'
    WHERE b.id = :booking AND b.customer = :customer""")
_HELD: Final = sa.text("""
    SELECT b.state, b.customer, b.plan, l.kind, l.minutes, l.times, c.number, s.id AS seat, s.places, a.id AS appointment,
           a.state AS appointment_state, a.starts_at
    FROM bookings b JOIN plans l ON l.id = b.plan JOIN consultants c ON c.payee = l.consultant
    LEFT JOIN seats s ON s.booking = b.id AND s.state = 'CONFIRMED' LEFT JOIN appointments a ON a.id = s.appointment
    WHERE b.id = :booking""")


def reschedule(
    tx: Tx,
    owner: CustomerOwner,
    booking: UUID,
    *,
    to: UUID | None = None,
    starts: Sequence[datetime] = (),
) -> UUID:
    """Move a SCHEDULED booking of `owner` to the appointment `to`, or to times; returns where it is now.

    Raises `UnknownError` for a booking that is missing or somebody else's, `NotOpenError` where it is not
    SCHEDULED or has begun, `SoldOutError`, `TimeTakenError`, `BadInputError`; then it stays where it is.
    """
    customer = owned_by(owner)
    found = tx.rows(_OWN, booking=booking, customer=customer)
    if not found:
        raise UnknownError(f"there is no booking {booking}")
    there = [row.appointment for row in found if row.appointment is not None]
    wanted = [*there, to] if to is not None else there
    leased = hold(tx, wanted, run=None, actor=f"customer:{customer}")
    lock(leased, "booking", [booking])
    if to is None:
        lock(leased, "consultant", [found[0].consultant])
    lock(leased, "appointment", wanted)
    lock(leased, "seat", [row.seat for row in found if row.seat is not None])
    rows = leased.rows(_HELD, booking=booking)
    at = now(leased)
    row = rows[0]
    if row.state != BookingState.SCHEDULED or len(rows) != 1 or row.appointment not in there:
        raise NotOpenError(f"booking {booking} is {row.state}, with {len(rows)} seats")
    if row.appointment_state not in STANDING or row.starts_at <= at:
        raise NotOpenError(f"its appointment is {row.appointment_state}, and began {row.starts_at}")
    if PlanKind(row.kind).is_private != (to is None):
        raise BadInputError(
            "reschedule", row.kind, "takes times where it is private, else an appointment"
        )
    return _move_seat(leased, booking, row, to, at) if to else _move_times(leased, row, starts, at)


_AGAIN: Final = sa.text("""
    SELECT id, state FROM seats WHERE booking = :booking AND appointment = :appointment FOR UPDATE""")
_RESIZE: Final = sa.text("UPDATE seats SET places = :places WHERE id = :id")
_SEAT: Final = sa.text("""
    INSERT INTO seats (id, appointment, booking, customer, places, state)
    VALUES (gen_random_uuid(), :appointment, :booking, :customer, :places, 'CONFIRMED')""")


def _move_seat(tx: LeasedTx, booking: UUID, row: Row, to: UUID, at: datetime) -> UUID:
    """To another published appointment: its places are taken before the old ones are given back."""
    if to == row.appointment:
        return to
    take_places(tx, to, plan=row.plan, places=row.places, at=at)
    shift(tx, SEATS, {row.seat: SeatState.CONFIRMED}, SeatState.RELEASED, reason=REASON)
    give_back(tx, {row.appointment: row.places})
    before = tx.row(_AGAIN, booking=booking, appointment=to)
    if before is None:
        places = row.places
        tx.run(_SEAT, appointment=to, booking=booking, customer=row.customer, places=places)
        return to
    tx.run(_RESIZE, id=before.id, places=row.places)
    shift(tx, SEATS, {before.id: before.state}, SeatState.CONFIRMED, reason=REASON)
    return to


_FREE: Final = sa.text("UPDATE slots SET confirmed = false WHERE appointment = :appointment")
_TIMES: Final = sa.text("""
    WITH had AS (
      SELECT id, row_number() OVER (ORDER BY starts_at, id) AS n FROM slots WHERE appointment = :appointment),
    moved AS (
      SELECT h.id, w.starts, w.ends FROM had h
      JOIN unnest(CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[])) WITH ORDINALITY AS w (starts, ends, n) USING (n))
    UPDATE slots s SET starts_at = m.starts, ends_at = m.ends FROM moved m WHERE s.id = m.id""")
_CONFIRM: Final = sa.text("UPDATE slots SET confirmed = true WHERE appointment = :appointment")
_DATE: Final = sa.text("""
    UPDATE appointments SET starts_at = :starts_at, ends_at = :ends_at, updated_at = clock_timestamp() WHERE id = :id""")


def _move_times(tx: LeasedTx, row: Row, starts: Sequence[datetime], at: datetime) -> UUID:
    """To other times of the same appointment; its end is waited for where it is now."""
    found = spans(starts, minutes=row.minutes, times=row.times, now=at)
    begins, ends = [s for s, _ in found], [e for _, e in found]
    id_: UUID = row.appointment
    busy = busy_at(tx, row.number, begins, ends, but=id_)
    if busy is not None:
        raise TimeTakenError(f"the consultant is busy, or about to be, at {busy}")
    # Its own times may change places with each other: none excludes another meanwhile.
    tx.run(_FREE, appointment=id_)
    tx.run(_TIMES, appointment=id_, starts=begins, ends=ends)
    tx.run(_CONFIRM, appointment=id_)
    tx.run(_DATE, id=id_, starts_at=begins[0], ends_at=ends[-1])
    tx.settle([Next(subject=id_, job=COMPLETE, delay=ends[-1] - at)])
    return id_
