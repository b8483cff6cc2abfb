"""Working days: Monday to Friday, in UTC; holidays only make a wait longer than it need be."""

from datetime import date, timedelta
from typing import Final, TypeVar

REVERSAL_DAYS: Final = 5
"""Working days after completion in which a provider may still give the money back (RazorpayX: T+3)."""
_FRIDAY: Final = 4

DayT = TypeVar("DayT", bound=date)


def add_working_days(start: DayT, days: int) -> DayT:
    """Return the day, or the same time of the day, `days` working days after `start`."""
    moment = start
    while days > 0:
        moment += timedelta(days=1)
        if moment.weekday() <= _FRIDAY:
            days -= 1
    return moment


def working_day(day: date) -> date:
    """Return `day`, or the Monday after it where it is on a weekend."""
    return day if day.weekday() <= _FRIDAY else add_working_days(day, 1)
