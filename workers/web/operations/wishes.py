"""The operations on wishes: a customer asks for a booking, its consultant decides, or it is taken back."""

from datetime import datetime
from typing import Final, Self
from uuid import UUID

from pydantic import Field

from db.bookings.names import Named, bookings_of, id_of
from db.bookings.request import request_booking
from db.bookings.wishes import approve_bookings, reject_bookings, withdraw_bookings
from db.tx import Tx
from domain.bookings import BookingState
from domain.checkouts import Request
from domain.owners import ConsultantOwner, CustomerOwner
from domain.wishes import DECIDED_MAX, Wish, Wished
from workers.web.operations.shapes import (
    CANCEL,
    DECISION,
    WISH,
    Answered,
    AnyOperation,
    Asked,
    Caller,
    Name,
    Operation,
)


class RequestBooking(Asked):
    """What a customer would book, once its consultant agrees."""

    plan: Name


class KeptWish(Answered):
    """Where a wish is, and when it ends there by itself (null: nothing ends it as a wish any more)."""

    booking: UUID
    state: BookingState
    until: datetime | None

    @classmethod
    def of(cls, wished: Wished) -> Self:
        """What is told of a wish."""
        state = BookingState(wished.state)
        return cls(booking=wished.booking, state=state, until=wished.until)


def _request(tx: Tx, caller: Caller, asked: RequestBooking) -> KeptWish:
    wish = Wish(customer=CustomerOwner(id=caller.actor), plan=id_of(tx, Named.PLAN, asked.plan))
    scope = f"application:{caller.application}"
    request = Request(scope=scope, actor=str(caller.actor), key=caller.key)
    return KeptWish.of(request_booking(tx, request, wish))


class DecideBookings(Asked):
    """Wishes that are decided on together: all of them, or none."""

    bookings: tuple[Name, ...] = Field(min_length=1, max_length=DECIDED_MAX)


class Decided(Answered):
    """Where each is now."""

    bookings: tuple[KeptWish, ...] = Field(max_length=DECIDED_MAX)

    @classmethod
    def of(cls, wishes: list[Wished]) -> Self:
        """What is told of them."""
        return cls(bookings=tuple(map(KeptWish.of, wishes)))


def _approve(tx: Tx, caller: Caller, asked: DecideBookings) -> Decided:
    owner = ConsultantOwner(id=caller.actor)
    return Decided.of(approve_bookings(tx, owner, bookings_of(tx, asked.bookings)))


def _reject(tx: Tx, caller: Caller, asked: DecideBookings) -> Decided:
    owner = ConsultantOwner(id=caller.actor)
    return Decided.of(reject_bookings(tx, owner, bookings_of(tx, asked.bookings)))


def _withdraw(tx: Tx, caller: Caller, asked: DecideBookings) -> Decided:
    owner = CustomerOwner(id=caller.actor)
    return Decided.of(withdraw_bookings(tx, owner, bookings_of(tx, asked.bookings)))


_WHO, _HOST = Named.CUSTOMER, Named.CONSULTANT

OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation("bookings.request_booking", _WHO, RequestBooking, _request, WISH, KeptWish),
    Operation("bookings.approve_bookings", _HOST, DecideBookings, _approve, DECISION, Decided),
    Operation("bookings.reject_bookings", _HOST, DecideBookings, _reject, DECISION, Decided),
    Operation("bookings.withdraw_bookings", _WHO, DecideBookings, _withdraw, CANCEL, Decided),
)
"""One line each, as those of bookings."""
