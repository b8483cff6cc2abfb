"""The end of checkouts that are not paid: legs given back, seats and places freed, orders to be forgotten.

The one function behind cancelling, expiring and a gateway's refusal. What the gateway must forget is
an order CLOSING: a row of this transaction, so it is never remembered beside it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings import entries
from db.bookings.facts import Checkout, Seat
from db.bookings.moving import shift
from db.bookings.places import give_back
from db.clock import now
from db.transitions import LeasedTx
from db.waitlist.again import stand_again
from domain.appointments import APPOINTMENTS, SEATS, AppointmentState, SeatState
from domain.bookings import BOOKINGS, BookingState
from domain.payments import ORDERS, PAYMENTS, OrderState, PaymentState

ENDS_UNPAID: Final = frozenset(
    {BookingState.PENDING, BookingState.APPROVED, BookingState.APPROVED_PENDING_PAYMENT}
)
"""Where a booking is ended with its checkout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What unpaid checkouts become, and their bookings (None: they stay, for another checkout within `again`)."""

    payment: PaymentState
    booking: BookingState | None
    reason: str
    again: timedelta = timedelta(0)


def end_unpaid(tx: LeasedTx, checkouts: Sequence[Checkout], ending: Ending) -> int:
    """End PENDING checkouts that this transaction holds; returns how many places were freed.

    A booking that another payment pays for keeps its seats and its state.
    """
    unpaid = [c for c in checkouts if not c.is_paid_for]
    reason = ending.reason
    if ending.booking is not None:
        ended = {c.booking: c.booking_state for c in unpaid if c.booking_state in ENDS_UNPAID}
        shift(tx, BOOKINGS, ended, ending.booking, reason=reason)
    states = {c.payment: c.state for c in checkouts}
    due = dict.fromkeys(states, now(tx) + ending.again)
    shift(tx, PAYMENTS, states, ending.payment, reason=reason, due=due)
    close_orders(tx, checkouts, OrderState.CLOSING, reason)
    offered = stand_again(tx, unpaid) if ending.booking is None else set()
    freed = free_seats(tx, [seat for c in unpaid for seat in c.seats], reason, offered=offered)
    entries.released(tx, checkouts, run=tx.holder, actor=tx.actor)
    return freed


def close_orders(
    tx: LeasedTx, checkouts: Iterable[Checkout], target: OrderState, reason: str
) -> None:
    """Have the gateway forget the orders of checkouts, or leave them closed where they were paid."""
    closing = {
        c.order: c.order_state
        for c in checkouts
        if c.order is not None
        and c.order_state is not None
        and c.order_state not in {target, OrderState.CLOSED}
    }
    shift(tx, ORDERS, closing, target, reason=reason)


def free_seats(
    tx: LeasedTx, seats: Sequence[Seat], reason: str, *, offered: Collection[UUID] = ()
) -> int:
    """Release TENTATIVE seats; a private appointment goes with its only seat. Returns the places freed.

    The places of `offered` seats are not freed: they pass back to the offers that they came from.
    """
    freed = [seat for seat in seats if seat.state == SeatState.TENTATIVE]
    places = Counter[UUID]()
    for seat in freed:
        if seat.id not in offered:
            places[seat.appointment] += seat.places
    private = {
        seat.appointment: seat.appointment_state
        for seat in freed
        if seat.appointment_state == AppointmentState.TENTATIVE
    }
    shift(tx, APPOINTMENTS, private, AppointmentState.CANCELLED, reason=reason)
    shift(tx, SEATS, {s.id: s.state for s in freed}, SeatState.RELEASED, reason=reason)
    give_back(tx, places)
    return places.total()


_NOTE: Final = sa.text("""
    UPDATE bookings SET note = :note WHERE id = ANY(CAST(:ids AS uuid[]))""")


def note(tx: LeasedTx, checkouts: Sequence[Checkout], text: str) -> None:
    """Say on the bookings of checkouts what people should know of them."""
    if checkouts:
        tx.run(_NOTE, ids=[c.booking for c in checkouts], note=text)
