"""The life of a notice: what a payee's application is told, until it has heard it or nobody will tell it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.machines import Call, Guard, Machine, Move
from domain.payouts import PayoutState


class NoticeState(StrEnum):
    """Where a notice is."""

    PENDING = "PENDING"
    """Committed with the move it tells of; sent until the receiver answers 2xx."""
    DELIVERED = "DELIVERED"
    """The receiver answered 2xx."""
    FAILED = "FAILED"
    """Not heard for days; an operator may have it sent again."""


DELIVER: Final = "notices.deliver"

_N = NoticeState

NOTICES: Final = Machine(
    kind="notice",
    table="notices",
    initial=frozenset({_N.PENDING}),
    moves=(
        Move(source=_N.PENDING, target=_N.DELIVERED, guard=Guard.LEASED, when="the receiver answered 2xx"),
        Move(source=_N.PENDING, target=_N.FAILED, guard=Guard.LEASED, when="not heard in three days"),
        Move(source=_N.FAILED, target=_N.PENDING, guard=Guard.UNLEASED, when="replayed by an operator"),
    ),
    calls=(
        Call(state=_N.PENDING, outcome=None, job=DELIVER, due="at once, then 5 s, 30 s, 2, 10, 30 min, then hourly"),
        Call(state=_N.DELIVERED, outcome=None, job=None, due="ended"),
        Call(state=_N.FAILED, outcome=None, job=None, due="an operator may replay it"),
    ),
)  # fmt: skip

TOLD: Final = frozenset(
    {PayoutState.COMPLETED, PayoutState.FAILED, PayoutState.CANCELLED, PayoutState.REVERSED}
)
"""States of a payout that its payee is told of, once per generation."""

TRIES_MAX: Final = 78
"""Three days of tries, at the pace of `NOTICE_SECONDS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The receiver answered 2xx."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """Anything else, a lost reply too: it is sent again. `reason` holds no address and no body."""

    reason: str


Delivery = Delivered | Undelivered
