"""What a provider tells us by webhook: an event whose signature was checked, and the life of its row."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from domain.machines import Call, Guard, Machine, Move

APPLY: Final = "webhooks.apply"
"""The job that an event waits for."""


class EventState(StrEnum):
    """Where an event in the inbox is."""

    RECEIVED = "RECEIVED"
    """Committed before its sender was answered; `webhooks.apply` takes it."""
    APPLIED = "APPLIED"
    """What it says was written, or found to change nothing, in the same transaction."""
    FAILED = "FAILED"
    """It cannot be applied, or was tried too often: a person looks, and may replay it."""


_E = EventState

EVENTS: Final = Machine(
    kind="event",
    table="inbox",
    says="outcome",
    initial=frozenset({_E.RECEIVED}),
    moves=(
        Move(source=_E.RECEIVED, target=_E.APPLIED, guard=Guard.LEASED, when="written, or found to change nothing"),
        Move(source=_E.RECEIVED, target=_E.FAILED, guard=Guard.LEASED, when="unfit, unreadable, or tried too often"),
        Move(source=_E.FAILED, target=_E.RECEIVED, guard=Guard.UNLEASED, when="replayed by an operator"),
    ),
    calls=(
        Call(state=_E.RECEIVED, outcome=None, job=APPLY, due="at once; after an error backing off"),
        Call(state=_E.APPLIED, outcome=None, job=None, due="ended"),
        Call(state=_E.FAILED, outcome=None, job=None, due="an operator may replay it"),
    ),
)  # fmt: skip
"""The frozen table of an event's life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEvent:
    """An event whose signature fits its raw bytes. Only verification makes one."""

    provider: str
    """`razorpayx`, `razorpay`, `stripe`, `paypal`, `flutterwave`."""
    event_id: str
    """Unique per provider, and taken from what is signed: nobody else can choose it."""
    type: str
    """The provider's own word, such as `payout.processed`."""
    entity: str | None
    """The provider's id of what it is about."""
    occurred_at: datetime | None
    """By the provider's clock (aware UTC)."""
    body: bytes
    """As it was received: what the signature signs."""


def event_row_id(installation: UUID, provider: str, event_id: str) -> UUID:
    """Return the id of an event's row (UUID version 5): the same for each delivery, also after a restore."""
    return uuid5(installation, f"event:{provider}:{event_id}")
