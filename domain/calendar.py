"""Working days: Monday to Friday, in UTC; holidays only make a wait longer than it need be."""

from datetime import datetime, timedelta
from typing import Final

REVERSAL_DAYS: Final = 5
"""Working days after completion in which a provider may still give the money back (RazorpayX: T+3)."""
_FRIDAY: Final = 4


def add_working_days(start: datetime, days: int) -> datetime:
    """Return the same time of day, `days` working days after `start`."""
    moment = start
    while days > 0:
        moment += timedelta(days=1)
        if moment.weekday() <= _FRIDAY:
            days -= 1
    return moment
