"""The life of an appointment, the unit of capacity, and of the seats that customers hold at it."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from domain.machines import Call, Guard, Machine, Move
from domain.waitlist import OFFER

COMPLETE: Final = "bookings.complete"
RELEASE_TENTATIVE: Final = "bookings.release_tentative"
TENTATIVE_FOR: Final = timedelta(hours=24)
"""How long a seat may be held that nobody pays for, whatever became of its checkout."""


class AppointmentState(StrEnum):
    """Where an appointment is."""

    TENTATIVE = "TENTATIVE"
    """Of a private plan, made by a checkout: its seat waits for the money."""
    PLANNED = "PLANNED"
    """It will take place."""
    FREED = "FREED"
    """It will take place, and a place was freed that somebody waits for: `waitlist.offer` holds it for them."""
    CANCELLED = "CANCELLED"
    OVER = "OVER"
    """Its last slot has ended."""


class SeatState(StrEnum):
    """Where a customer's hold of places is."""

    TENTATIVE = "TENTATIVE"
    """Held while its checkout is under way."""
    CONFIRMED = "CONFIRMED"
    """Paid for."""
    RELEASED = "RELEASED"
    """Somebody else may have the places."""


_A, _S = AppointmentState, SeatState
_LEASED, _OPERATION = Guard.LEASED, Guard.OPERATION

APPOINTMENTS: Final = Machine(
    kind="appointment",
    table="appointments",
    initial=frozenset({_A.TENTATIVE, _A.PLANNED}),
    moves=(
        Move(source=_A.TENTATIVE, target=_A.PLANNED, guard=_OPERATION, when="paid"),
        Move(source=_A.TENTATIVE, target=_A.CANCELLED, guard=_OPERATION, when="its seat was released"),
        Move(source=_A.PLANNED, target=_A.CANCELLED, guard=_LEASED, when="private: its only seat was given up"),
        Move(source=_A.PLANNED, target=_A.FREED, guard=_LEASED, when="a place was freed while somebody waits"),
        Move(source=_A.FREED, target=_A.PLANNED, guard=_LEASED, when="what is free is offered, or nobody waits"),
        Move(source=_A.PLANNED, target=_A.OVER, guard=_LEASED, when="its last slot has ended"),
    ),
    calls=(
        Call(state=_A.TENTATIVE, outcome=None, job=None, due="its seat waits"),
        Call(state=_A.PLANNED, outcome=None, job=COMPLETE, due="at the end of its last slot"),
        Call(state=_A.FREED, outcome=None, job=OFFER, due="at once"),
        Call(state=_A.CANCELLED, outcome=None, job=None, due="ended"),
        Call(state=_A.OVER, outcome=None, job=None, due="ended"),
    ),
)  # fmt: skip
"""The frozen table of an appointment's life."""

SEATS: Final = Machine(
    kind="seat",
    table="seats",
    initial=frozenset({_S.TENTATIVE, _S.CONFIRMED}),
    moves=(
        Move(source=_S.TENTATIVE, target=_S.CONFIRMED, guard=_LEASED, when="paid"),
        Move(source=_S.TENTATIVE, target=_S.RELEASED, guard=_LEASED, when="not paid in a day, or its checkout ended"),
        Move(source=_S.CONFIRMED, target=_S.RELEASED, guard=_OPERATION, when="given up, or moved elsewhere"),
        Move(source=_S.RELEASED, target=_S.CONFIRMED, guard=_OPERATION, when="moved back to its appointment"),
        Move(source=_S.RELEASED, target=_S.TENTATIVE, guard=_OPERATION, when="its booking has another checkout"),
    ),
    calls=(
        Call(state=_S.TENTATIVE, outcome=None, job=RELEASE_TENTATIVE, due="24 h after it was made"),
        Call(state=_S.CONFIRMED, outcome=None, job=None, due="its appointment ends it"),
        Call(state=_S.RELEASED, outcome=None, job=None, due="ended"),
    ),
)  # fmt: skip
"""The frozen table of a seat's life."""

STANDING: Final = (_A.PLANNED, _A.FREED)
"""Where an appointment will take place."""
