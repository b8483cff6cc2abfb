"""The life of a booking: what a customer asked for, from the wish to the time it was kept."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from domain.machines import Call, Guard, Machine, Move

EXPIRE_WISHES: Final = "bookings.expire_wishes"
WISH_FOR: Final = timedelta(days=7)
"""How long a wish waits for its consultant, and then for a checkout: in a week everybody has a day to answer."""


class PlanKind(StrEnum):
    """What a consultant offers. Consultation and subscription are private, webinar and class shared."""

    CONSULTATION = "consultation"
    SUBSCRIPTION = "subscription"
    WEBINAR = "webinar"
    CLASS = "class"

    @property
    def is_private(self) -> bool:
        """Whether a checkout makes an appointment of its own, for one place."""
        return self in {PlanKind.CONSULTATION, PlanKind.SUBSCRIPTION}


class BookingState(StrEnum):
    """Where a booking is."""

    PENDING = "PENDING"
    """A wish: the consultant approves or rejects it, or a checkout pays for it, within a week."""
    APPROVED = "APPROVED"
    """A wish that the consultant agreed to: a checkout pays for it, within a week."""
    APPROVED_PENDING_PAYMENT = "APPROVED_PENDING_PAYMENT"
    """To be paid. Its payment waits, and ends it where nobody pays."""
    SCHEDULED = "SCHEDULED"
    """Paid: its seats are confirmed."""
    COMPLETED = "COMPLETED"
    """Its appointment is over."""
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    """Nobody decided on it, or paid for it, in time."""


_B, _OPERATION = BookingState, Guard.OPERATION

BOOKINGS: Final = Machine(
    kind="booking",
    table="bookings",
    initial=frozenset({_B.PENDING, _B.APPROVED, _B.APPROVED_PENDING_PAYMENT}),
    moves=(
        Move(source=_B.PENDING, target=_B.APPROVED, guard=Guard.LEASED, when="the consultant agrees", by_hand=True),
        Move(source=_B.PENDING, target=_B.APPROVED_PENDING_PAYMENT, guard=_OPERATION, when="a checkout was begun"),
        Move(source=_B.APPROVED, target=_B.APPROVED_PENDING_PAYMENT, guard=_OPERATION, when="a checkout was begun"),
        Move(source=_B.PENDING, target=_B.SCHEDULED, guard=_OPERATION, when="paid"),
        Move(source=_B.APPROVED, target=_B.SCHEDULED, guard=_OPERATION, when="paid"),
        Move(source=_B.APPROVED_PENDING_PAYMENT, target=_B.SCHEDULED, guard=_OPERATION, when="paid"),
        Move(source=_B.APPROVED, target=_B.COMPLETED, guard=_OPERATION, when="its appointment is over"),
        Move(source=_B.SCHEDULED, target=_B.COMPLETED, guard=_OPERATION, when="its appointment is over"),
        Move(source=_B.PENDING, target=_B.REJECTED, guard=Guard.LEASED, when="the consultant declines", by_hand=True),
        Move(source=_B.APPROVED_PENDING_PAYMENT, target=_B.REJECTED, guard=_OPERATION, when="the consultant declines"),
        Move(source=_B.PENDING, target=_B.CANCELLED, guard=_OPERATION, when="its customer withdrew it"),
        Move(source=_B.APPROVED, target=_B.CANCELLED, guard=_OPERATION, when="its customer withdrew it"),
        Move(source=_B.APPROVED_PENDING_PAYMENT, target=_B.CANCELLED, guard=_OPERATION, when="its customer cancelled"),
        Move(source=_B.SCHEDULED, target=_B.CANCELLED, guard=_OPERATION, when="its last seat was given up"),
        Move(source=_B.PENDING, target=_B.EXPIRED, guard=_OPERATION, when="nobody decided on it in time"),
        Move(source=_B.APPROVED, target=_B.EXPIRED, guard=_OPERATION, when="no checkout of it was begun in time"),
        Move(source=_B.APPROVED_PENDING_PAYMENT, target=_B.EXPIRED, guard=_OPERATION, when="not paid in time"),
    ),
    calls=tuple(Call(state=state, outcome=None, job=job, due=due) for state, job, due in (
        (_B.PENDING, EXPIRE_WISHES, "7 days after it was asked for"),
        (_B.APPROVED, EXPIRE_WISHES, "7 days after it was approved"),
        (_B.APPROVED_PENDING_PAYMENT, None, "its payment waits"),
        (_B.SCHEDULED, None, "its appointment ends it"),
        (_B.COMPLETED, None, "ended"),
        (_B.REJECTED, None, "ended"),
        (_B.CANCELLED, None, "ended"),
        (_B.EXPIRED, None, "ended"),
    )),
)  # fmt: skip
"""The frozen table of a booking's life."""

UNPAID: Final = (_B.PENDING, _B.APPROVED_PENDING_PAYMENT)
"""Where a checkout may be cancelled: elsewhere its booking is somebody's word, and everything stays."""
