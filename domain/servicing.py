"""What collecting costs, and how long what was collected may still bounce: fees by frequency, holds by method."""

from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from domain.calendar import add_working_days, working_day
from domain.errors import BadInputError

PPM: Final = 1_000_000
"""A rate of one, in parts per million: 1 % a year is 10,000."""


class Frequency(StrEnum):
    """How often a mortgage is paid."""

    MONTHLY = "monthly"
    BIWEEKLY = "biweekly"
    ACCELERATED_BIWEEKLY = "accelerated_biweekly"
    WEEKLY = "weekly"


PERIODS: Final = MappingProxyType(
    {
        Frequency.MONTHLY: 12,
        Frequency.BIWEEKLY: 26,
        Frequency.ACCELERATED_BIWEEKLY: 26,
        Frequency.WEEKLY: 52,
    }
)
"""Periods of a year."""


class Method(StrEnum):
    """How money was collected."""

    MANUAL = "manual"
    PAD = "pad"
    """Pre-authorised debit."""
    ACH = "ach"
    UNKNOWN = "unknown"


HOLD_DAYS: Final = MappingProxyType(
    {Method.MANUAL: 0, Method.PAD: 5, Method.ACH: 7, Method.UNKNOWN: 5}
)
"""Business days for which money may still be taken back by whoever paid."""


def fee_due(principal: int, rate_ppm: int, frequency: str) -> int:
    """Return the servicing fee of one period (minor units): rate · principal / periods, a half rounded up.

    Raises `BadInputError` for a frequency that is not known.
    """
    if frequency not in PERIODS:
        raise BadInputError("frequency", frequency, f"must be one of {', '.join(PERIODS)}")
    whole = PPM * PERIODS[Frequency(frequency)]
    return (2 * rate_ppm * principal + whole) // (2 * whole)


def eligible_on(settled_on: date, method: str | None) -> date:
    """Return the day from which money settled on a day may be paid out: never on a weekend.

    Raises `BadInputError` for a day so late that the calendar has none after it.
    """
    days = HOLD_DAYS[Method(method or Method.UNKNOWN)]
    try:
        return working_day(add_working_days(settled_on, days))
    except OverflowError as error:
        rule = "must be a day after which the calendar goes on"
        raise BadInputError("settled_on", settled_on.isoformat(), rule) from error
