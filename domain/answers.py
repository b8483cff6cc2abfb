"""What an outside system can have said about one attempt to change the world. A closed union.

Source of the classes: Kill Bill's payment plugin statuses (PROCESSED, ERROR, CANCELED, UNDEFINED),
where an exception of any kind is "may have succeeded".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ProviderStatus(StrEnum):
    """Where a provider says a payout is, in our words; a word we do not know is `UNRECOGNISED`."""

    UNDER_WAY = "under_way"
    """Pending, queued, scheduled or processing: neither paid nor failed, however old."""
    PAID = "paid"
    FAILED = "failed"
    """Failed or rejected: the money did not leave, or came back before it arrived."""
    CANCELLED = "cancelled"
    REVERSED = "reversed"
    """The money came back: so it was paid before, whether or not anybody told us."""
    UNRECOGNISED = "unrecognised"
    """A word this version does not know: nothing moves, a person is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderPayout:
    """One payout as its provider describes it. Amount in minor units; times aware UTC."""

    provider_id: str
    reference: str | None
    status: ProviderStatus
    raw_status: str
    amount_minor: int
    currency: str
    fund_account_id: str | None
    utr: str | None
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider took the request and named it; final only when `payout.status` is."""

    payout: ProviderPayout


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The provider definitely refused *this* payment, and nothing was sent before it under this key."""

    code: str
    reason: str
    brake: bool = False
    """The reason would meet every payment alike (an empty balance): set the provider's brake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """Nothing left this process, or the provider refused *us* (401, 403), not the payment.

    `brake` asks for the provider's brake: a configuration fault would meet every payment alike.
    """

    reason: str
    brake: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Nobody here can know whether it happened. Neither a failure nor a reason for a new key."""

    reason: str
    retry_after_seconds: float | None = None
    suspect: bool = False
    """The provider's answer contradicts what was asked (amount, reference, id): a person must look."""
    brake: bool = False
    """This attempt met a fault that would meet every payment alike: set the provider's brake."""


Answer = Accepted | Rejected | NotSent | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A complete look-up by reference: every payout the provider has under it (0, 1 or more)."""

    payouts: tuple[ProviderPayout, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpFailed:
    """The look-up itself did not work: it says nothing about the payment."""

    reason: str
    brake: bool = False
    retry_after_seconds: float | None = None


LookUp = Found | LookUpFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What the provider's account can pay out now, in minor units by currency."""

    available: Mapping[str, int]


Funds = Balance | LookUpFailed
Report = ProviderPayout | LookUpFailed
"""What one of several payouts asked about turned out to be, or that it was not come to."""
