"""Seats of bookings whose payment was given back whole: free again, and offered to whoever waits."""

from collections import Counter
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.facts import Checkout, Seat
from db.bookings.moving import shift
from db.bookings.places import give_back
from db.transitions import LeasedTx
from domain.appointments import APPOINTMENTS, SEATS, STANDING, AppointmentState, SeatState
from domain.bookings import BOOKINGS, BookingState

REASON: Final = "all that was paid for it was given back"

_UNCONFIRM: Final = sa.text("""
    UPDATE slots SET confirmed = false WHERE appointment = ANY(CAST(:ids AS uuid[]))""")


def give_up(tx: LeasedTx, checkouts: Sequence[Checkout]) -> None:
    """Free the confirmed seats that SCHEDULED bookings of held checkouts have at appointments that have not ended.

    A booking that was at others is COMPLETED, else CANCELLED; a private appointment goes with its seat. One
    that another payment pays for stays as it is.
    """
    ending = [c for c in checkouts if c.booking_state == BookingState.SCHEDULED and _pays(c)]
    confirmed = [(c, [s for s in c.seats if s.state == SeatState.CONFIRMED]) for c in ending]
    freed = [s for _, seats in confirmed for s in seats if s.appointment_state in STANDING]
    kept = {c.booking for c, seats in confirmed if any(s not in freed for s in seats)}
    for target in (BookingState.COMPLETED, BookingState.CANCELLED):
        is_kept = target is BookingState.COMPLETED
        states = {c.booking: c.booking_state for c in ending if (c.booking in kept) == is_kept}
        shift(tx, BOOKINGS, states, target, reason=REASON)
    own = {s.id for c in ending if c.kind.is_private for s in c.seats}
    private = {s.appointment: s.appointment_state for s in freed if s.id in own}
    shift(tx, APPOINTMENTS, private, AppointmentState.CANCELLED, reason=REASON)
    shift(tx, SEATS, {s.id: s.state for s in freed}, SeatState.RELEASED, reason=REASON)
    give_back(tx, _places(freed))
    if private:
        tx.run(_UNCONFIRM, ids=list(private))


def _pays(checkout: Checkout) -> bool:
    """Whether it is this payment that pays for the booking: an orphan never did."""
    return not checkout.is_paid_for and not checkout.orphaned


def _places(seats: Sequence[Seat]) -> Counter[UUID]:
    places = Counter[UUID]()
    for seat in seats:
        places[seat.appointment] += seat.places
    return places
