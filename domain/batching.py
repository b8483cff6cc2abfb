"""Which of what is owed becomes payouts: the period they are made for, the least that is paid, what needs no person."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

BATCH: Final = "payouts.batch"
ORG_BATCH: Final = "payouts.org_batch"
AUTO_APPROVE: Final = "auto-approve"
"""Who approves what is below the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPolicy:
    """What a batch obeys; amounts in minor units of whatever currency."""

    minimum_minor: int = 50_000
    """The least that is paid to somebody; less waits for more."""
    auto_approve_below_minor: int = 500_000
    """What is below this needs no person's approval."""


class Period(StrEnum):
    """How long a payee that was paid by a batch waits for the next one."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def run_key(period: Period, tick_at: datetime) -> str:
    """Name the period (in UTC; weeks as ISO 8601 counts them) that holds the time a batch was due.

    From that time and never from the clock: a batch that is late, or run again, makes the same payouts.
    """
    at = tick_at.astimezone(UTC)
    match period:
        case Period.HOUR:
            return f"{at:%Y-%m-%dT%H}"
        case Period.DAY:
            return f"{at:%Y-%m-%d}"
        case Period.WEEK:
            year, week, _ = at.isocalendar()
            return f"{year}-W{week:02d}"
        case Period.MONTH:
            return f"{at:%Y-%m}"


def batch_external_id(source: str, key: str, payee: UUID, currency: str) -> str:
    """Return the external id, hence the identity, of what a batch pays to somebody in one currency."""
    return f"batch:{source}:{key}:{payee}:{currency}"


def narration(what: str, key: str) -> str:
    """Return what a payee reads on the bank statement of `what`: letters, digits and spaces, at most 30."""
    return f"{what} {key.replace('-', ' ').replace('T', ' ')}"


class LeftOut(StrEnum):
    """Why somebody is owed something and not paid by a batch."""

    BELOW_MINIMUM = "below_minimum"
    OWES_BACK = "owes_back"
    """What they owe leaves less than the minimum."""
    NO_ACCOUNT = "no_account"
    """No default account."""
    NOT_VERIFIED = "not_verified"
    NOT_ACTIVE = "not_active"
    OPTED_OUT = "opted_out"
    """Its owner wants it left where it is."""
    PAID_ALREADY = "paid_already"
    """By a batch of the same period."""


FAULTS: Final = {
    LeftOut.NO_ACCOUNT: "without a default account",
    LeftOut.NOT_VERIFIED: "whose account nobody has verified",
    LeftOut.NOT_ACTIVE: "whose account is not active",
}
"""What a person must do something about, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What one payee may be paid now in one currency."""

    payee: UUID
    currency: str
    amount: int
    items: int
    parts: str
    """What it is the sum of, as its source knows it."""
    is_verified: bool | None
    """Of the default account; None where there is none."""
    is_active: bool | None
    minimum: int | None = None
    """Its owner's own least, in minor units; the installation's holds beside it."""
    period: Period | None = None
    """How often its owner wants to be paid; None: as the batch is asked."""
    owing: int = 0
    """What the payee owes back: kept back of what is paid."""
    is_opted_out: bool = False


def least(policy_minor: int, own_minor: int | None) -> int:
    """The least that is paid, in two tiers: nobody's own is below the installation's."""
    return max(policy_minor, own_minor or 0)


def left_out(owed: Owed, policy: BatchPolicy) -> LeftOut | None:
    """Why `owed` is not paid; None pays it."""
    if owed.is_opted_out:
        return LeftOut.OPTED_OUT
    minimum = least(policy.minimum_minor, owed.minimum)
    if owed.amount < minimum:
        return LeftOut.BELOW_MINIMUM
    if owed.amount - owed.owing < minimum:
        return LeftOut.OWES_BACK
    if owed.is_active is None:
        return LeftOut.NO_ACCOUNT
    if not owed.is_active:
        return LeftOut.NOT_ACTIVE
    return None if owed.is_verified else LeftOut.NOT_VERIFIED
