"""What a payment gateway says of an order and of a refund, in our words. Amounts in minor units, times aware UTC."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from domain.answers import LookUpFailed, NotSent, Rejected, Unknown


class OrderStatus(StrEnum):
    """Where a gateway says an order is; a word we do not know is `UNRECOGNISED`."""

    OPEN = "open"
    """It may be paid."""
    PAID = "paid"
    CLOSED = "closed"
    """It cannot be paid any more."""
    UNRECOGNISED = "unrecognised"


class RefundStatus(StrEnum):
    """Where a gateway says a refund is."""

    PENDING = "pending"
    """Taken, and neither given nor refused, however old."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """Nothing was given back, or it came back to the gateway."""
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderOrder:
    """One order as its gateway describes it."""

    provider_id: str
    reference: str | None
    """Our order's id."""
    status: OrderStatus
    raw_status: str
    amount_minor: int
    currency: str
    payment_id: str | None
    """What its capture is called, which refunds name; None until it is known."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRefund:
    """One refund as its gateway describes it."""

    provider_id: str
    reference: str | None
    """Our refund's id; None where somebody made it at the gateway itself."""
    payment_id: str
    """The capture it gives back a part of."""
    status: RefundStatus
    raw_status: str
    amount_minor: int
    currency: str
    created_at: datetime


ThingT = TypeVar("ThingT", ProviderOrder, ProviderRefund)


@dataclass(frozen=True, slots=True)
class Taken(Generic[ThingT]):
    """The gateway took the request and named what it made of it."""

    thing: ThingT


@dataclass(frozen=True, slots=True)
class Listed(Generic[ThingT]):
    """A complete look-up: everything the gateway has under one reference (0, 1 or more)."""

    things: tuple[ThingT, ...]


OrderAnswer = Taken[ProviderOrder] | Rejected | NotSent | Unknown
RefundAnswer = Taken[ProviderRefund] | Rejected | NotSent | Unknown
OrderLookUp = Listed[ProviderOrder] | LookUpFailed
RefundLookUp = Listed[ProviderRefund] | LookUpFailed
