"""What one field of a record may hold by itself: the rules that files of several kinds share."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from domain.errors import BadInputError
from domain.records import LABEL_RULE, faults, fits_label

Check = Callable[[str], str | None]
"""The rule that a text breaks, or None."""

MOMENT_RULE: Final = "must be ISO 8601 with its zone, such as 2026-03-30T06:00:00Z"
TEXT_MAX: Final = 200
YEARS: Final = (2000, 2998)
"""In which appointments may be, as the database has it."""
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


def moment_of(text: str) -> datetime | None:
    """Read a moment; None for none. Raises `ValueError` where it names no zone, or none there is."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def moments_of(text: str) -> tuple[datetime, ...]:
    """Read moments with spaces between them, in their order. Raises `ValueError`."""
    return tuple(sorted(at for word in text.split() if (at := moment_of(word)) is not None))


def spelled(at: datetime | None) -> str:
    """Write a moment in the one spelling that records are compared in."""
    return "" if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def label(value: str) -> str | None:
    """A name that another system chose."""
    return None if fits_label(value) else LABEL_RULE


def text(value: str) -> str | None:
    """Words for people."""
    fits = value.isprintable() and 0 < len(value) <= TEXT_MAX
    return None if fits else f"must be 1 to {TEXT_MAX} printable characters"


def moment(value: str) -> str | None:
    """One moment."""
    try:
        found = moment_of(value)
    except ValueError:
        return MOMENT_RULE
    return None if found else MOMENT_RULE


def moments(most: int) -> Check:
    """One moment or more, with spaces between them, none of them twice."""

    def check(value: str) -> str | None:
        words = value.split()
        if not 0 < len(words) <= most:
            return f"must be 1 to {most} times with spaces between them"
        try:
            found = moments_of(value)
        except ValueError:
            return MOMENT_RULE
        if len(set(found)) != len(found):
            return "must not name a time twice"
        within = YEARS[0] <= found[0].year and found[-1].year <= YEARS[1]
        return None if within else f"must lie in the years {YEARS[0]} to {YEARS[1]}"

    return check


def number(first: int, last: int) -> Check:
    """A whole number of that range, without a sign."""

    def check(value: str) -> str | None:
        fits = _NUMBER.fullmatch(value) and first <= int(value) <= last
        return None if fits else f"must be a number from {first} to {last}"

    return check


def one_of(*known: str) -> Check:
    """One of these words."""
    return lambda value: None if value in known else f"must be one of {', '.join(known)}"


def optional(check: Check) -> Check:
    """Nothing, or what `check` takes."""

    def either(value: str) -> str | None:
        rule = check(value) if value else None
        return None if rule is None else rule.replace("must be", "must be empty or", 1)

    return either


def broken(checks: Mapping[str, Check], record: Sequence[str], place: str) -> list[BadInputError]:
    """Every rule that `record` (texts in the order of `checks`) breaks, each field by itself."""
    return faults(tuple(checks), record, place, lambda field, value, _: checks[field](value))


Broken = tuple[str, str]
"""A field, and the rule its value breaks beside the others."""


def asked_here(said: Mapping[str, str], elsewhere: Mapping[str, str]) -> list[Broken]:
    """What is said of fields of another system, beside their default, of something that is asked for here."""
    return [
        (field, f"must be {f'empty or {default}' if default else 'empty'} without --as-of")
        for field, default in elsewhere.items()
        if said[field] not in {"", default}
    ]


def past(said: Mapping[str, str], fields: Sequence[str], as_of: datetime) -> list[Broken]:
    """What cannot have happened yet at `as_of`, nor before what comes first."""
    found: list[Broken] = []
    before, named = None, ""
    for field in fields:
        at = moment_of(said[field])
        if at is None:
            continue
        if at >= as_of:
            rule = f"must be before {spelled(as_of)}: the file says what was so then"
            found.append((field, rule))
        elif before is not None and at < before:
            found.append((field, f"must not be before {named}"))
        before, named = at, field
    return found
