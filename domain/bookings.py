"""The life of a booking: what a customer asked for, from the wish to the time it was kept."""

from enum import StrEnum
from typing import Final

from domain.machines import Call, Guard, Machine, Move


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
    """A wish: the consultant must approve or reject it, or it is paid at once."""
    APPROVED = "APPROVED"
    """The consultant agreed, and nothing is to be paid now."""
    APPROVED_PENDING_PAYMENT = "APPROVED_PENDING_PAYMENT"
    """To be paid. Its payment waits, and ends it where nobody pays."""
    SCHEDULED = "SCHEDULED"
    """Paid: its seats are confirmed."""
    COMPLETED = "COMPLETED"
    """Its appointment is over."""
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    """Nobody paid in time."""


_B, _OPERATION = BookingState, Guard.OPERATION

BOOKINGS: Final = Machine(
    kind="booking",
    table="bookings",
    initial=frozenset({_B.PENDING, _B.APPROVED, _B.APPROVED_PENDING_PAYMENT}),
    moves=(
        Move(source=_B.PENDING, target=_B.APPROVED, guard=Guard.UNLEASED, when="the consultant agrees"),
        Move(source=_B.APPROVED_PENDING_PAYMENT, target=_B.APPROVED, guard=_OPERATION, when="nothing to be paid now"),
        Move(source=_B.PENDING, target=_B.APPROVED_PENDING_PAYMENT, guard=_OPERATION, when="a checkout was begun"),
        Move(source=_B.APPROVED, target=_B.APPROVED_PENDING_PAYMENT, guard=_OPERATION, when="a checkout was begun"),
        Move(source=_B.PENDING, target=_B.SCHEDULED, guard=_OPERATION, when="paid"),
        Move(source=_B.APPROVED, target=_B.SCHEDULED, guard=_OPERATION, when="paid"),
        Move(source=_B.APPROVED_PENDING_PAYMENT, target=_B.SCHEDULED, guard=_OPERATION, when="paid"),
        Move(source=_B.APPROVED, target=_B.COMPLETED, guard=_OPERATION, when="its appointment is over"),
        Move(source=_B.SCHEDULED, target=_B.COMPLETED, guard=_OPERATION, when="its appointment is over"),
        Move(source=_B.PENDING, target=_B.REJECTED, guard=Guard.UNLEASED, when="the consultant declines"),
        Move(source=_B.APPROVED_PENDING_PAYMENT, target=_B.REJECTED, guard=_OPERATION, when="the consultant declines"),
        Move(source=_B.PENDING, target=_B.CANCELLED, guard=_OPERATION, when="its customer cancelled"),
        Move(source=_B.APPROVED, target=_B.CANCELLED, guard=_OPERATION, when="cancelled"),
        Move(source=_B.APPROVED_PENDING_PAYMENT, target=_B.CANCELLED, guard=_OPERATION, when="its customer cancelled"),
        Move(source=_B.SCHEDULED, target=_B.CANCELLED, guard=_OPERATION, when="its last seat was given up"),
        Move(source=_B.PENDING, target=_B.EXPIRED, guard=_OPERATION, when="not paid in time"),
        Move(source=_B.APPROVED, target=_B.EXPIRED, guard=_OPERATION, when="not paid in time"),
        Move(source=_B.APPROVED_PENDING_PAYMENT, target=_B.EXPIRED, guard=_OPERATION, when="not paid in time"),
    ),
    calls=tuple(Call(state=state, outcome=None, job=None, due=due) for state, due in (
        (_B.PENDING, "the consultant decides"),
        (_B.APPROVED, "its appointment ends it"),
        (_B.APPROVED_PENDING_PAYMENT, "its payment waits"),
        (_B.SCHEDULED, "its appointment ends it"),
        (_B.COMPLETED, "ended"),
        (_B.REJECTED, "ended"),
        (_B.CANCELLED, "ended"),
        (_B.EXPIRED, "ended"),
    )),
)  # fmt: skip
"""The frozen table of a booking's life."""

UNPAID: Final = (_B.PENDING, _B.APPROVED_PENDING_PAYMENT)
"""Where a checkout may be cancelled: elsewhere its booking is somebody's word, and everything stays."""
