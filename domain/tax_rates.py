"""What is withheld at which rate, since when, and what the return calls it: data, looked up by the day.

Sources: Finance (No. 2) Act 2024 (0.1 % from 1 October 2024, 1 % before); proviso to section 206AA
(5 % without a PAN, and not the general 20 %); Income-tax Act 2025, in force from 1 April 2026.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from domain.errors import BrokenError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One line of the table. Rates in basis points; `until` is the first day it no longer holds."""

    section: str
    code: str
    """What the quarterly return calls the payment."""
    since: date
    until: date | None
    bps: int
    bps_without_pan: int

    def for_payee(self, *, has_pan: bool) -> int:
        """The rate of a payee who has, or has not, furnished a PAN or Aadhaar."""
        return self.bps if has_pan else self.bps_without_pan


_OLD: Final = "194-O (Income-tax Act 1961)"

RATES: Final = (
    Rate(section=_OLD, code="194O", since=date(2021, 4, 1), until=date(2024, 10, 1), bps=100, bps_without_pan=500),
    Rate(section=_OLD, code="194O", since=date(2024, 10, 1), until=date(2026, 4, 1), bps=10, bps_without_pan=500),
    Rate(
        section="393(1) Table Sl. No. 8(v) (Income-tax Act 2025)", code="1035",
        since=date(2026, 4, 1), until=None, bps=10, bps_without_pan=500,
    ),
)  # fmt: skip
"""In order, without a gap. A change of the law is a new line and an end for the last one."""


def rate_on(day: date) -> Rate:
    """Return what holds on `day` (in India). Raises `BrokenError` for a day before the table begins."""
    for rate in RATES:
        if rate.since <= day and (rate.until is None or day < rate.until):
            return rate
    raise BrokenError(f"no rate of withholding is known for {day}")
