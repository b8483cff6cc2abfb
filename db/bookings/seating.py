"""Places for a checkout: looked at again under lock, and held with a seat."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from db.advance import begin
from db.bookings.facts import lock
from db.bookings.moving import shift
from db.transitions import LeasedTx
from db.tx import Row
from domain.appointments import SEATS, STANDING, TENTATIVE_FOR, AppointmentState, SeatState
from domain.booking_errors import NotOpenError, SoldOutError, TimeTakenError, UnknownError
from domain.checkouts import Wanted, spans

_PLACES: Final = sa.text("""
    SELECT state, plan, starts_at, capacity - taken AS free FROM appointments WHERE id = :id""")
_TAKE: Final = sa.text("""
    UPDATE appointments SET taken = taken + :places, updated_at = clock_timestamp() WHERE id = :id""")


def hold_places(
    tx: LeasedTx, plan: Row, wanted: Wanted, at: datetime, *, offered: bool = False
) -> UUID:
    """The appointment whose places are held from here on: published, or for a private plan one of its own.

    What is `offered` is held already, and passes from the offer to the seat.

    Raises `UnknownError`, `NotOpenError`, `SoldOutError`, `TimeTakenError`, `BadInputError`.
    """
    if wanted.appointment is None:
        return _own_appointment(tx, plan, wanted, at)
    lock(tx, "appointment", [wanted.appointment])
    if not offered:
        take_places(tx, wanted.appointment, plan=plan.id, places=wanted.places, at=at)
    return wanted.appointment


def take_places(tx: LeasedTx, id_: UUID, *, plan: UUID, places: int, at: datetime) -> None:
    """Take places of an appointment of `plan` that this transaction has locked, where it has them."""
    found = tx.row(_PLACES, id=id_)
    if found is None or found.plan != plan:
        raise UnknownError(f"there is no appointment {id_} of this plan")
    if found.state not in STANDING or found.starts_at <= at:
        raise NotOpenError(f"appointment {id_} is {found.state} and begins at {found.starts_at}")
    if found.state == AppointmentState.FREED:
        raise SoldOutError(f"what is free at appointment {id_} goes to those who wait for it")
    if found.free < places:
        raise SoldOutError(f"{found.free} places are free at appointment {id_}")
    tx.run(_TAKE, id=id_, places=places)


_BUSY: Final = sa.text("""
    SELECT s.starts_at FROM unnest(CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[])) AS w (starts, ends)
    JOIN slots s ON s.consultant = :consultant AND s.ends_at > w.starts AND s.starts_at < w.ends
      -- No slot lasts longer than a day: the index is read in this stretch alone.
      AND s.starts_at > w.starts - interval '24 hours'
    JOIN appointments a ON a.id = s.appointment
    WHERE (s.confirmed OR a.state = 'TENTATIVE') AND a.id IS DISTINCT FROM CAST(:but AS uuid) LIMIT 1""")


def busy_at(
    tx: LeasedTx,
    consultant: int,
    starts: Sequence[datetime],
    ends: Sequence[datetime],
    *,
    but: UUID | None = None,
) -> datetime | None:
    """When a consultant, whose row is locked, is busy within these times, or may be; `but` an appointment's own."""
    found: datetime | None = tx.scalar(
        _BUSY, consultant=consultant, starts=list(starts), ends=list(ends), but=but
    )
    return found


_OWN: Final = sa.text("""
    INSERT INTO appointments (id, plan, capacity, taken, starts_at, ends_at, state)
    VALUES (:id, :plan, 1, 1, :starts_at, :ends_at, 'TENTATIVE')""")
_SLOTS: Final = sa.text("""
    INSERT INTO slots (id, appointment, consultant, starts_at, ends_at, confirmed)
    SELECT gen_random_uuid(), :appointment, :consultant, starts, ends, false
    FROM unnest(CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[])) AS w (starts, ends)""")


def _own_appointment(tx: LeasedTx, plan: Row, wanted: Wanted, at: datetime) -> UUID:
    lock(tx, "consultant", [plan.consultant])
    found = spans(wanted.starts, minutes=plan.minutes, times=plan.times, now=at)
    starts, ends = [s for s, _ in found], [e for _, e in found]
    busy = busy_at(tx, plan.number, starts, ends)
    if busy is not None:
        raise TimeTakenError(f"the consultant is busy, or about to be, at {busy}")
    id_ = uuid4()
    tx.run(_OWN, id=id_, plan=plan.id, starts_at=starts[0], ends_at=ends[-1])
    tx.run(_SLOTS, appointment=id_, consultant=plan.number, starts=starts, ends=ends)
    return id_


_SEAT: Final = sa.text("""
    INSERT INTO seats (id, appointment, booking, customer, places) VALUES (:id, :appointment, :booking, :customer, :places)""")
_AGAIN: Final = sa.text("""
    SELECT id, state FROM seats WHERE booking = :booking AND appointment = :appointment FOR UPDATE""")
_RESIZE: Final = sa.text("""
    UPDATE seats SET places = :places WHERE id = :id""")


def sit(tx: LeasedTx, wanted: Wanted, booking: UUID, appointment: UUID, at: datetime) -> None:
    """A seat for the booking; one that it had there before is taken again."""
    due = at + TENTATIVE_FOR
    before = tx.row(_AGAIN, booking=booking, appointment=appointment)
    if before is not None:
        tx.run(_RESIZE, id=before.id, places=wanted.places)
        shift(tx, SEATS, {before.id: before.state}, SeatState.TENTATIVE, due={before.id: due})
        return
    seat, customer = uuid4(), wanted.customer.id
    places = wanted.places
    tx.run(
        _SEAT, id=seat, appointment=appointment, booking=booking, customer=customer, places=places
    )
    begin(tx, SEATS, SeatState.TENTATIVE, {seat: due})
