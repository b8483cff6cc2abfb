"""The life of a waitlist entry: who comes next when a place is freed, and how long a place is held for them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.machines import Call, Guard, Machine, Move

OFFER: Final = "waitlist.offer"
REMIND: Final = "waitlist.remind"
EXPIRE: Final = "waitlist.expire"
OFFERED_FOR: Final = timedelta(hours=48)
"""How long an offer holds its place, unless another time is set or the appointment begins sooner."""
REMINDED_BEFORE: Final = timedelta(hours=12)
"""How long before its end an offer's one reminder goes, unless another time is set."""
ROSTER_MAX: Final = 500
PRIORITY_MAX: Final = 1_000_000


class WaitState(StrEnum):
    """Where an entry is."""

    WAITING = "WAITING"
    """In line: by priority, then by when it joined, then by id."""
    NOTIFIED = "NOTIFIED"
    """A place is held for it until its `expires_at`, and a mail says so."""
    REMINDED = "REMINDED"
    """The same, and the one reminder of it is written."""
    BOOKED = "BOOKED"
    """It took its place: its checkout holds that now. One that the gateway refuses gives it back to the offer."""
    EXPIRED = "EXPIRED"
    """It did not answer in time: its place went to whoever is next."""
    CANCELLED = "CANCELLED"
    """It left, or declined."""
    SKIPPED = "SKIPPED"
    """The appointment began while it waited."""


_W, _LEASED, _OPERATION = WaitState, Guard.LEASED, Guard.OPERATION

WAITLIST: Final = Machine(
    kind="waitlist",
    table="waitlist",
    initial=frozenset({_W.WAITING}),
    moves=(
        Move(source=_W.WAITING, target=_W.NOTIFIED, guard=_OPERATION, when="a place is held for it"),
        Move(source=_W.WAITING, target=_W.CANCELLED, guard=_OPERATION, when="it left"),
        Move(source=_W.WAITING, target=_W.SKIPPED, guard=_OPERATION, when="its appointment began"),
        Move(source=_W.NOTIFIED, target=_W.REMINDED, guard=_LEASED, when="12 h before its end"),
        Move(source=_W.NOTIFIED, target=_W.BOOKED, guard=_LEASED, when="it took its place"),
        Move(source=_W.REMINDED, target=_W.BOOKED, guard=_LEASED, when="it took its place"),
        Move(source=_W.BOOKED, target=_W.NOTIFIED, guard=_OPERATION, when="its checkout was refused: the offer stands"),
        Move(source=_W.NOTIFIED, target=_W.CANCELLED, guard=_LEASED, when="it declined"),
        Move(source=_W.REMINDED, target=_W.CANCELLED, guard=_LEASED, when="it declined"),
        Move(source=_W.REMINDED, target=_W.EXPIRED, guard=_LEASED, when="its time is over"),
    ),
    calls=(
        Call(state=_W.WAITING, outcome=None, job=None, due="its appointment waits"),
        Call(state=_W.NOTIFIED, outcome=None, job=REMIND, due="12 h before `expires_at`, 48 h after the offer"),
        Call(state=_W.REMINDED, outcome=None, job=EXPIRE, due="at `expires_at`"),
        Call(state=_W.BOOKED, outcome=None, job=None, due="ended"),
        Call(state=_W.EXPIRED, outcome=None, job=None, due="ended"),
        Call(state=_W.CANCELLED, outcome=None, job=None, due="ended"),
        Call(state=_W.SKIPPED, outcome=None, job=None, due="ended"),
    ),
)  # fmt: skip
"""The frozen table of an entry's life."""

LIVE: Final = (_W.WAITING, _W.NOTIFIED, _W.REMINDED)
"""Where an entry is in line, or has an offer: one of a customer at an appointment."""
OFFERED: Final = (_W.NOTIFIED, _W.REMINDED)
"""Where a place is held for it, and counted as taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferPolicy:
    """How long offers hold their places."""

    offered_for: timedelta = OFFERED_FOR
    reminded_before: timedelta = REMINDED_BEFORE

    def ends(self, at: datetime, starts_at: datetime) -> datetime:
        """When an offer made at `at` ends: nobody books what has begun."""
        return min(at + self.offered_for, starts_at)

    def reminder(self, at: datetime, ends: datetime) -> datetime:
        """When the reminder of an offer made at `at` goes; of a short one at its half, not beside the offer itself."""
        return max(ends - self.reminded_before, at + (ends - at) / 2)
