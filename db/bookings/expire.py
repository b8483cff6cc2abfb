"""Checkouts whose time is over: those that are still PENDING are ended with all that hangs on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from db.bookings.facts import Checkout, grip
from db.bookings.moving import shift
from db.bookings.release import ENDS_UNPAID, Ending, end_unpaid, free_seats
from db.clock import now
from db.transitions import LeasedTx, take
from db.tx import Tx
from db.work import ClaimOrder, Next
from domain.bookings import BOOKINGS, BookingState
from domain.payments import (
    AGAIN_WITHIN,
    ASKED_FOR,
    EXPIRE_CHECKOUTS,
    PAYMENTS,
    OrderState,
    PaymentState,
)

_EXPIRED: Final = Ending(
    payment=PaymentState.EXPIRED, booking=BookingState.EXPIRED, reason="not paid in time"
)
_REFUSED: Final = Ending(
    payment=PaymentState.FAILED,
    booking=None,
    reason="refused by the gateway",
    again=AGAIN_WITHIN,
)
GIVEN_UP: Final = "refused by the gateway, and no other checkout was begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """How many checkouts were taken and ended, with how many places; the others may still be paid."""

    taken: int
    ended: int
    places_released: int


def expire_checkouts(tx: Tx, order: ClaimOrder) -> Expired:
    """End due checkouts that are PENDING and past their time, and bookings whose checkout was refused a day ago.

    The others keep their date.
    """
    due = take(tx, EXPIRE_CHECKOUTS, order)
    if not due.held:
        return Expired(taken=0, ended=0, places_released=0)
    leased, checkouts = grip(due, list(due.held), run=order.run, actor=due.actor)
    at = now(tx)
    ends = {c.payment: _ends(c) for c in checkouts if c.state == PaymentState.PENDING}
    over = [c for c in checkouts if c.payment in ends and ends[c.payment] <= at]
    leased.settle(
        [
            Next(subject=payment, job=EXPIRE_CHECKOUTS, delay=end - at)
            for payment, end in ends.items()
            if end > at
        ]
    )
    released = end_unpaid(leased, over, _EXPIRED)
    refused = [c for c in checkouts if c.state == PaymentState.FAILED]
    released += _give_up(leased, refused)
    return Expired(taken=len(due.held), ended=len(over) + len(refused), places_released=released)


def _ends(checkout: Checkout) -> datetime:
    """When it ends unpaid: what the gateway may have is asked about before (`bookings.ask_orders`)."""
    asked = ASKED_FOR if checkout.order_state == OrderState.OPEN else timedelta(0)
    return checkout.expires_at + asked


def end_unpaid_in_time(tx: LeasedTx, payments: Sequence[UUID]) -> dict[UUID, timedelta]:
    """End those of PENDING checkouts, unpaid by their gateway's word, whose time is over; how long the others have."""
    leased, checkouts = grip(tx, payments, run=tx.holder, actor=tx.actor)
    at = now(tx)
    pending = [c for c in checkouts if c.state == PaymentState.PENDING]
    end_unpaid(leased, [c for c in pending if c.expires_at <= at], _EXPIRED)
    return {c.payment: c.expires_at - at for c in pending if c.expires_at > at}


def _give_up(tx: LeasedTx, refused: Sequence[Checkout]) -> int:
    """End refused checkouts, and their bookings where none of them was begun again."""
    last = [
        c
        for c in refused
        if c.booking_state in ENDS_UNPAID and not c.is_replaced and not c.is_paid_for
    ]
    ended = {c.booking: c.booking_state for c in last}
    shift(tx, BOOKINGS, ended, BookingState.EXPIRED, reason=GIVEN_UP)
    states = {c.payment: c.state for c in refused}
    shift(tx, PAYMENTS, states, PaymentState.EXPIRED, reason=GIVEN_UP)
    return free_seats(tx, [seat for c in last for seat in c.seats], GIVEN_UP)


def fail(tx: LeasedTx | Tx, payments: Sequence[UUID], *, run: int | None, actor: str) -> list[UUID]:
    """Take in that the gateway refused payments for good; returns those that were PENDING.

    Their bookings stay where another checkout may be begun for them, for a day.
    """
    leased, checkouts = grip(tx, payments, run=run, actor=actor)
    refused = [c for c in checkouts if c.state == PaymentState.PENDING]
    end_unpaid(leased, refused, _REFUSED)
    return [c.payment for c in refused]
