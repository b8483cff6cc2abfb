"""Rules that fields of several kinds of file keep, each as the words an error says."""

from collections.abc import Iterable
from datetime import date

from domain.errors import BadInputError
from domain.money import EXPONENTS, parse_major


def day_rule(value: str) -> str | None:
    """A calendar date, in one spelling."""
    try:
        good = date.fromisoformat(value).isoformat() == value
    except ValueError:
        good = False
    return None if good else "must be a date, such as 2026-03-20"


def word_rule(value: str, words: Iterable[str]) -> str | None:
    """One of the words."""
    known = sorted(words)
    return None if value in known else f"must be one of {', '.join(known)}"


def money_rule(field: str, value: str, currency: str, *, zero: bool = False) -> str | None:
    """Decimal text in major units, above zero unless told otherwise."""
    if currency not in EXPONENTS:  # named at its own field; which digits are allowed depends on it
        return None
    try:
        minor = parse_major(value, currency, field)
    except BadInputError as error:
        return error.rule
    return None if minor or zero else "must be more than zero"


def units_rule(value: str, most: int) -> str | None:
    """A whole number from 1 to `most`."""
    good = value.isascii() and value.isdecimal() and len(value) <= len(str(most))
    return None if good and 0 < int(value) <= most else f"must be a whole number from 1 to {most}"
