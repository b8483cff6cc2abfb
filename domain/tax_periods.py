"""Financial years and quarters of India, in its own time, from one reading of the clock."""

import re
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Final, NamedTuple

from domain.errors import BadInputError

IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
"""India has one zone and keeps no summer time."""

_APRIL: Final = 4
_YEAR: Final = re.compile(r"(2[0-9]{3})-([0-9]{2})", re.ASCII)


class Quarter(StrEnum):
    """A quarter of a financial year; returns are filed by it."""

    Q1 = "Q1"
    """April to June."""
    Q2 = "Q2"
    Q3 = "Q3"
    Q4 = "Q4"
    """January to March."""


class Period(NamedTuple):
    """Where a moment lies: its day in India, its financial year (`2026-27`), its quarter."""

    day: date
    financial_year: str
    quarter: Quarter

    @property
    def ending_year(self) -> str | None:
        """On the first day of a financial year the one before it, in which somebody may be at work still."""
        if (self.day.month, self.day.day) != (_APRIL, 1):
            return None
        return f"{self.day.year - 1}-{self.day.year % 100:02d}"


def period(moment: datetime) -> Period:
    """Return the period of `moment` (aware). A year is `[1 April, next 1 April)` at midnight in India."""
    day = moment.astimezone(IST).date()
    start = day.year if day.month >= _APRIL else day.year - 1
    quarter = Quarter(f"Q{(day.month - _APRIL) % 12 // 3 + 1}")
    return Period(day, f"{start}-{(start + 1) % 100:02d}", quarter)


def check_financial_year(text: str, place: str) -> str:
    """Return `text` where it names a financial year, as `2026-27`. Raises `BadInputError` naming `place`."""
    found = _YEAR.fullmatch(text)
    if found is None or (int(found[1]) + 1) % 100 != int(found[2]):
        raise BadInputError(place, text, "must be a financial year, such as 2026-27")
    return text
