"""Cron expressions as sets of numbers: read strictly, so that what was meant is what runs.

Five fields: minute, hour, day of month, month, weekday. `*`, lists, ranges and steps; months and
weekdays also by English name. Weekday numbers are cron's own: 0 and 7 are Sunday. One that names
days of the month *and* weekdays is refused: cron means "either", most people mean "both".
"""

import re
from dataclasses import dataclass
from typing import Final

from domain.errors import BadInputError

WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_DAYS_MAX: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART: Final = re.compile(
    r"(?:(?P<all>\*)|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\d{1,3}))?", re.ASCII
)
_LENGTH_MAX: Final = 200
"""No sane expression is longer, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    name: str
    low: int
    high: int
    names: dict[str, int]


_FIELDS: Final = (
    _Field(name="minute", low=0, high=59, names={}),
    _Field(name="hour", low=0, high=23, names={}),
    _Field(name="day of month", low=1, high=31, names={}),
    _Field(name="month", low=1, high=12, names={m: n for n, m in enumerate(_MONTHS, 1)}),
    _Field(name="weekday", low=0, high=7, names={d: n for n, d in enumerate(WEEKDAYS)}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """When a wall clock matches: every field must. Weekdays are 0 (Sunday) to 6."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @property
    def is_hourly(self) -> bool:
        """Matches in every hour of its days: it follows elapsed time, not one time of day."""
        return len(self.hours) == len(range(24))


def read_cron(text: str) -> Cron:
    """Return what `text` means. Raises `BadInputError` naming the field and the rule."""
    parts = text.split()
    if len(text) > _LENGTH_MAX or len(parts) != len(_FIELDS):
        raise BadInputError("cron", text, "must have five fields: minute hour day month weekday")
    minutes, hours, days, months, weekdays = (
        _read_field(field, part, text) for field, part in zip(_FIELDS, parts, strict=True)
    )
    weekdays = frozenset(day % 7 for day in weekdays)
    every_day, every_weekday = len(days) == len(range(31)), len(weekdays) == len(WEEKDAYS)
    if not every_day and not every_weekday:
        raise BadInputError("cron", text, "must not limit both day of month and weekday")
    if min(days) > max(_DAYS_MAX[month - 1] for month in months):
        raise BadInputError("cron", text, "names a day that none of its months has")
    return Cron(minutes=minutes, hours=hours, days=days, months=months, weekdays=weekdays)


def _read_field(field: _Field, text: str, whole: str) -> frozenset[int]:
    numbers: set[int] = set()
    for part in text.lower().split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise BadInputError(f"cron {field.name}", whole, f"{part!r} is not *, n, n-m or a step")
        low, high = _bounds(field, match, whole)
        step = int(match["step"] or 1)
        if step < 1:
            raise BadInputError(f"cron {field.name}", whole, "a step must be at least 1")
        numbers.update(range(low, high + 1, step))
    return frozenset(numbers)


def _bounds(field: _Field, match: re.Match[str], whole: str) -> tuple[int, int]:
    if match["all"]:
        return field.low, min(field.high, 6) if field.name == "weekday" else field.high
    low = _number(field, match["low"], whole)
    unwritten = field.high if match["step"] else low
    high = _number(field, match["high"], whole) if match["high"] else unwritten
    if low > high:
        raise BadInputError(f"cron {field.name}", whole, f"a range must rise: {match[0]!r}")
    return low, high


def _number(field: _Field, text: str, whole: str) -> int:
    if text in field.names:
        return field.names[text]
    rule = f"{text!r} must be from {field.low} to {field.high}"
    if not text.isascii() or not text.isdigit() or not field.low <= int(text) <= field.high:
        raise BadInputError(f"cron {field.name}", whole, rule)
    return int(text)
