"""Money is an integer of minor units with its currency; floats never touch it."""

import re
from dataclasses import dataclass
from typing import Final, NewType

from domain.errors import BadInputError

Minor = NewType("Minor", int)
"""An amount in minor units (paise, cents)."""

MINOR_MAX: Final = 2**63 - 1
"""The largest amount that may be stored: a signed 64-bit integer."""

EXPONENTS: Final = {
    "INR": 2, "USD": 2, "EUR": 2, "GBP": 2, "CAD": 2, "AUD": 2, "SGD": 2, "AED": 2,
    "NGN": 2, "GHS": 2, "KES": 2, "ZAR": 2, "JPY": 0, "UGX": 0, "KWD": 3, "BHD": 3,
}  # fmt: skip
"""Digits after the point by currency (ISO 4217)."""

_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount of one currency."""

    minor: Minor
    currency: str

    def __str__(self) -> str:
        return f"{format_major(self.minor, self.currency)} {self.currency}"


def check_currency(text: str, place: str) -> str:
    """Return the currency code `text`, or raise `BadInputError` naming `place`."""
    if text not in EXPONENTS:
        raise BadInputError(place, text, f"must be one of {', '.join(sorted(EXPONENTS))}")
    return text


def parse_major(text: str, currency: str, place: str) -> Minor:
    """Read decimal text in major units (`"1250.50"`) as minor units, exactly.

    Raises `BadInputError` naming `place` for a sign, an exponent, a group separator, more digits
    after the point than the currency has, or a value beyond 64 bits.
    """
    exponent = EXPONENTS[check_currency(currency, place)]
    if not _DECIMAL.fullmatch(text):
        raise BadInputError(place, text, "must be decimal text in major units, such as 1250.50")
    whole, _, fraction = text.partition(".")
    if len(fraction) > exponent:
        raise BadInputError(place, text, f"{currency} has {exponent} digits after the point")
    if len(whole) > len(str(MINOR_MAX)):
        raise BadInputError(place, text, "is larger than can be stored (64 bits of minor units)")
    minor = int(whole + fraction.ljust(exponent, "0"))
    if minor > MINOR_MAX:
        raise BadInputError(place, text, "is larger than can be stored (64 bits of minor units)")
    return Minor(minor)


def format_major(minor: int, currency: str) -> str:
    """Write minor units as decimal text in major units: `(125050, "INR")` is `"1250.50"`."""
    exponent = EXPONENTS[currency]
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"
