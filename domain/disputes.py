"""The life of a dispute: a customer disputes a payment at their bank, and the gateway tells who was right."""

from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from domain.machines import Call, Guard, Machine, Move


class DisputeState(StrEnum):
    """Where a dispute is."""

    OPEN = "OPEN"
    """Somebody must answer it at the gateway. What was earned of its payment is held, and nothing of it refunded."""
    WON = "WON"
    """The payment stands: what was held is free."""
    LOST = "LOST"
    """The bank took it back: a refund that nobody sends takes it out of the books."""


_D, _OPERATION = DisputeState, Guard.OPERATION

DISPUTES: Final = Machine(
    kind="dispute",
    table="disputes",
    initial=frozenset({_D.OPEN}),
    moves=(
        Move(source=_D.OPEN, target=_D.WON, guard=_OPERATION, when="the gateway says won, or closed without a loss"),
        Move(source=_D.OPEN, target=_D.LOST, guard=_OPERATION, when="the gateway says lost"),
    ),
    calls=(
        Call(state=_D.OPEN, outcome=None, job=None, due="the gateway tells how it ends"),
        Call(state=_D.WON, outcome=None, job=None, due="ended"),
        Call(state=_D.LOST, outcome=None, job=None, due="its refund waits"),
    ),
)  # fmt: skip
"""The frozen table of a dispute's life."""


def dispute_id(installation: UUID, provider: str, name: str) -> UUID:
    """Return the id of what a gateway calls `name` (UUID version 5): the same after a restore."""
    return uuid5(installation, f"dispute:{provider}:{name}")
