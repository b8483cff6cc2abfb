"""What an event tells us once it is read: of a payout, order, refund or dispute; nothing; or nothing readable."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.answers import ProviderPayout
from domain.checkout_answers import ProviderRefund


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingToDo:
    """An event of a type, or of a provider, from which nothing follows here."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """An event that ought to tell something and cannot be understood."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOrder:
    """An order of a gateway that was paid, or that nobody can pay any more. Amount in minor units, time aware UTC."""

    order_id: str
    """What the gateway calls the order."""
    reference: str | None
    """Our order's id, where the event says it."""
    captured_as: str | None
    """What the gateway calls its capture; None: it was cancelled."""
    amount_minor: int
    currency: str
    at: datetime


class DisputeStatus(StrEnum):
    """Where a gateway says a dispute is."""

    OPEN = "open"
    WON = "won"
    """Closed, and the payment stands."""
    LOST = "lost"
    """The payment was taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldDispute:
    """A dispute of a customer with their bank about a capture. Amount in minor units, time aware UTC."""

    dispute_id: str
    captured_as: str
    status: DisputeStatus
    raw_status: str
    amount_minor: int
    currency: str
    at: datetime


Told = ProviderPayout | ToldOrder | ProviderRefund | ToldDispute
"""What something follows from. Whoever hears one of them locks what it is about from the first row to the last."""
Telling = Told | NothingToDo | Unreadable
"""A closed union."""


def inside(document: object, *names: str) -> object:
    """Return what stands at the end of `names` in decoded JSON, or None where the way breaks off."""
    found = document
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found
