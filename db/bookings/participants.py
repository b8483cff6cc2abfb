"""Who takes part in an appointment, and how somebody is taken out of it: all the places they held are freed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.facts import lock
from db.bookings.moving import shift
from db.bookings.places import give_back
from db.errors import ContendedError
from db.transitions import LeasedTx, hold
from db.tx import Row, Tx
from domain.appointments import APPOINTMENTS, SEATS, STANDING, AppointmentState, SeatState
from domain.booking_errors import NotOpenError, UnknownError
from domain.bookings import BOOKINGS, BookingState, PlanKind
from domain.owners import ConsultantOwner, owned_by

ROSTER_MAX: Final = 500
REASON: Final = "taken out of the appointment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Distinct customers with a confirmed seat, the host excluded; `truncated` where there are more than told."""

    customers: Sequence[Row]
    truncated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """How many places were freed, and the bookings that ended with them."""

    places_released: int
    bookings: tuple[UUID, ...]


_OWN: Final = sa.text("""
    SELECT a.id, l.kind FROM appointments a JOIN plans l ON l.id = a.plan
    WHERE a.id = :appointment AND l.consultant = :consultant""")
_ROSTER: Final = sa.text("""
    SELECT c.id, c.external_id, c.name, sum(s.places) AS places, min(s.created_at) AS since
    FROM seats s JOIN customers c ON c.id = s.customer
    WHERE s.appointment = :appointment AND s.state = 'CONFIRMED' AND c.payee IS DISTINCT FROM :consultant
    GROUP BY c.id ORDER BY since, c.id LIMIT :limit""")


def participants(tx: Tx, owner: ConsultantOwner, appointment: UUID) -> Roster:
    """The first `ROSTER_MAX` participants of an appointment of `owner`, in the order in which they came.

    Raises `UnknownError` for an appointment that is missing or somebody else's.
    """
    consultant = owned_by(owner)
    _own(tx, consultant, appointment)
    limit = ROSTER_MAX + 1
    rows = tx.rows(_ROSTER, appointment=appointment, consultant=consultant, limit=limit)
    return Roster(customers=rows[:ROSTER_MAX], truncated=len(rows) > ROSTER_MAX)


def _own(tx: Tx, consultant: UUID, appointment: UUID) -> Row:
    row = tx.row(_OWN, appointment=appointment, consultant=consultant)
    if row is None:
        raise UnknownError(f"there is no appointment {appointment}")
    return row


_SEATS: Final = sa.text("""
    SELECT s.id, s.booking, s.places, s.state, b.state AS booking_state, a.state AS appointment_state,
           o.to_come AS has_more, o.over AS has_been
    FROM seats s JOIN bookings b ON b.id = s.booking JOIN appointments a ON a.id = s.appointment
    -- Its seats elsewhere: the booking goes on where one is to come, and was kept where one is over.
    CROSS JOIN LATERAL (
      SELECT coalesce(bool_or(e.state <> 'OVER'), false) AS to_come, coalesce(bool_or(e.state = 'OVER'), false) AS over
      FROM seats o JOIN appointments e ON e.id = o.appointment
      WHERE o.booking = s.booking AND o.id <> s.id AND o.state = 'CONFIRMED') o
    WHERE s.appointment = :appointment AND s.customer = :customer AND s.state = 'CONFIRMED' ORDER BY s.id""")


def remove_participant(
    tx: Tx, owner: ConsultantOwner, appointment: UUID, customer: UUID
) -> Removed:
    """Free every place that a customer has confirmed at an appointment of `owner`, in one transaction.

    A booking without another seat is CANCELLED; one whose other seats are over is COMPLETED: nothing else would
    end it. Refunds are asked for by whoever calls. Raises
    `UnknownError` where the appointment is somebody else's, or the customer no participant of it, and
    `NotOpenError` once it has taken place.
    """
    consultant = owned_by(owner)
    kind = PlanKind(_own(tx, consultant, appointment).kind)
    leased = hold(tx, [appointment], run=None, actor=f"consultant:{consultant}")
    given = {"appointment": appointment, "customer": customer}
    bookings = {row.booking for row in leased.rows(_SEATS, **given)}
    lock(leased, "booking", sorted(bookings))
    lock(leased, "appointment", [appointment])
    seats = leased.rows(_SEATS, **given)
    if not {row.booking for row in seats} <= bookings:
        raise ContendedError("they booked again meanwhile: another try locks that too, in order")
    lock(leased, "seat", [row.id for row in seats])
    if not seats:
        raise UnknownError(f"customer {customer} is no participant of {appointment}")
    if seats[0].appointment_state not in STANDING:
        raise NotOpenError(f"appointment {appointment} is {seats[0].appointment_state}")
    last = [row for row in seats if not row.has_more]
    kept = {row.booking: row.booking_state for row in last if row.has_been}
    shift(
        leased,
        BOOKINGS,
        kept,
        BookingState.COMPLETED,
        reason="its last appointment to come was given up",
    )
    ended = {row.booking: row.booking_state for row in last if row.booking not in kept}
    free_confirmed(leased, appointment, seats, ended, is_private=kind.is_private)
    return Removed(places_released=sum(row.places for row in seats), bookings=tuple(ended))


_UNCONFIRM: Final = sa.text("UPDATE slots SET confirmed = false WHERE appointment = :appointment")


def free_confirmed(
    tx: LeasedTx,
    appointment: UUID,
    seats: Sequence[Row],
    ended: dict[UUID, str],
    *,
    is_private: bool,
) -> None:
    """Release CONFIRMED seats (id, places, state) of one held appointment, and end bookings with them.

    A private appointment goes with its only seat, and its consultant's time is free again.
    """
    cancelled = {b: state for b, state in ended.items() if state == BookingState.SCHEDULED}
    shift(tx, BOOKINGS, cancelled, BookingState.CANCELLED, reason=REASON)
    if is_private:
        standing = {appointment: AppointmentState.PLANNED}
        shift(tx, APPOINTMENTS, standing, AppointmentState.CANCELLED, reason=REASON)
    shift(tx, SEATS, {row.id: row.state for row in seats}, SeatState.RELEASED, reason=REASON)
    give_back(tx, Counter({appointment: sum(row.places for row in seats)}))
    if is_private:
        tx.run(_UNCONFIRM, appointment=appointment)
