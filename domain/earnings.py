"""The life of an earning: what a payee is owed for one sale, how long it is held, and what may become of it."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from domain.machines import Guard, Machine, Move


class EarningKind(StrEnum):
    """What was sold."""

    CONSULTATION = "consultation"
    CLASS = "class"
    WEBINAR = "webinar"
    SUBSCRIPTION = "subscription"
    OTHER = "other"


HOLDS: Final = {
    EarningKind.CONSULTATION: timedelta(hours=24),
    EarningKind.CLASS: timedelta(hours=24),
    EarningKind.WEBINAR: timedelta(hours=48),
    EarningKind.SUBSCRIPTION: timedelta(hours=168),
    EarningKind.OTHER: timedelta(hours=24),
}
"""How long after it was earned an earning may not be paid yet: the time in which customers complain."""


class EarningState(StrEnum):
    """Where an earning is."""

    READY = "READY"
    """Payable once its hold is over."""
    BATCHED = "BATCHED"
    """Linked to one live payout."""
    PAID = "PAID"
    """Its payout was completed."""
    HELD = "HELD"
    """People hold it, or a dispute about its payment does."""
    REFUNDED = "REFUNDED"
    """All of the payee's share was given back to the customer."""


_E = EarningState

EARNINGS: Final = Machine(
    kind="earning",
    table="earnings",
    initial=frozenset({_E.READY}),
    moves=(
        Move(source=_E.READY, target=_E.BATCHED, guard=Guard.UNLEASED, when="a batch made a payout of it"),
        Move(source=_E.BATCHED, target=_E.PAID, guard=Guard.LEASED, when="its payout was completed"),
        Move(source=_E.READY, target=_E.PAID, guard=Guard.LEASED, when="its payout was paid after it had failed"),
        Move(source=_E.BATCHED, target=_E.READY, guard=Guard.LEASED, when="released: its payout ended unpaid"),
        Move(source=_E.PAID, target=_E.READY, guard=Guard.LEASED, when="released: its payout was reversed"),
        Move(source=_E.READY, target=_E.HELD, guard=Guard.UNLEASED, when="held by people, or by a dispute"),
        Move(source=_E.BATCHED, target=_E.HELD, guard=Guard.LEASED, when="released while it is held"),
        Move(source=_E.PAID, target=_E.HELD, guard=Guard.LEASED, when="released while it is held"),
        Move(source=_E.HELD, target=_E.READY, guard=Guard.UNLEASED, when="held by nobody any more"),
        Move(source=_E.READY, target=_E.REFUNDED, guard=Guard.UNLEASED, when="all of it was given back"),
        Move(source=_E.HELD, target=_E.REFUNDED, guard=Guard.UNLEASED, when="all of it was given back"),
        Move(source=_E.BATCHED, target=_E.REFUNDED, guard=Guard.LEASED, when="released after all of it was given back"),
        Move(source=_E.PAID, target=_E.REFUNDED, guard=Guard.LEASED, when="released after all of it was given back"),
    ),
    calls=(),
)  # fmt: skip
"""The lease is that of its payout: an earning waits for no job of its own."""
