"""Withholding (TDS) on what a marketplace pays out: how much of a payout is kept back, in exact integers.

The law (section 194-O, now 393(1) of the Income-tax Act 2025) takes a share of the *gross* sale, before
the marketplace's commission. It spares a resident individual or HUF who has furnished a PAN or
Aadhaar, as long as their gross of the financial year does not exceed 5 lakh; all others pay from the first
rupee. What it leaves open is a policy here, chosen by settings, and never a constant in the middle of code.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, assert_never

from domain.tax_rates import Rate


class Engine(StrEnum):
    """From what, and from which amount on, tax is withheld."""

    NONE = "none"
    """From nothing, in any currency: for a marketplace that this law is not about."""
    LEGACY = "legacy"
    """From the payee's share, past 50,000 rupees of it in a year, whoever the payee is."""
    SHARE = "194o"
    """From the payee's share, from the first rupee."""
    GROSS = "194o_gross"
    """From the gross sale, with the exemption up to 5 lakh: as the section reads."""


class Crossing(StrEnum):
    """What is taxed of the payout that carries its payee over the limit."""

    EXCESS_ONLY = "excess_only"
    """What lies above the limit."""
    WHOLE_PAYOUT = "whole_payout"
    """All of it."""
    CATCH_UP = "catch_up"
    """All of it, and all of the year before it that was not taxed."""


class Rounding(StrEnum):
    """How a fraction of a minor unit, or of a rupee, is treated."""

    FLOOR_MINOR = "floor_minor"
    """Down to the paisa."""
    NEAREST_RUPEE = "nearest_rupee"
    """To the nearest rupee, half up."""


class TaxClass(StrEnum):
    """Whose income it is."""

    INDIVIDUAL = "individual"
    HUF = "huf"
    """A Hindu undivided family."""
    COMPANY = "company"
    FIRM = "firm"
    UNKNOWN = "unknown"
    """Nobody told: treated as not exempt, since what is not withheld is owed by the marketplace."""


CURRENCY: Final = "INR"
"""What this law is about."""
EXEMPT: Final = frozenset({TaxClass.INDIVIDUAL, TaxClass.HUF})
LIMIT: Final = 50_000_000
"""Gross of a year, in paise, that is exempt: 5 lakh, which it must not exceed."""
LEGACY_LIMIT: Final = 5_000_000
"""Share of a year, in paise, that the legacy engine leaves alone: 50,000 rupees."""
_BPS: Final = 10_000
_RUPEE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Withholding:
    """How this installation withholds."""

    engine: Engine = Engine.GROSS
    crossing: Crossing = Crossing.EXCESS_ONLY
    rounding: Rounding = Rounding.FLOOR_MINOR


class Payee(NamedTuple):
    """What the law asks about a payee."""

    tax_class: TaxClass
    has_pan: bool


class Year(NamedTuple):
    """What a payee was paid in one financial year, or is about to be: paid and in flight, in minor units."""

    gross: int = 0
    share: int = 0
    base: int = 0
    """What was taxed of it."""
    tax: int = 0

    def plus(self, one: "Withheld") -> "Year":
        """The year with one more payout."""
        return Year(
            self.gross + one.gross, self.share + one.share, self.base + one.base, self.tax + one.tax
        )


class Withheld(NamedTuple):
    """One payout as it is withheld from: `share` is what it is of, `net` what is sent. Minor units."""

    gross: int
    share: int
    base: int
    """What is taxed: none, a part or all of gross or share; after a catch-up more than that."""
    rate_bps: int
    tax: int

    @property
    def net(self) -> int:
        """What is left to be sent; not always positive."""
        return self.share - self.tax


def withhold(
    policy: Withholding, rate: Rate, payee: Payee, year: Year, *, gross: int, share: int
) -> Withheld:
    """Return what is kept back of a payout of `share` out of sales of `gross`, after `year`."""
    if policy.engine is Engine.NONE:
        return Withheld(gross, share, 0, 0, 0)
    limit = _limit(policy.engine, payee)
    amount, before = (gross, year.gross) if policy.engine is Engine.GROSS else (share, year.share)
    base = amount
    if limit is not None:
        base = _over(policy.crossing, limit, amount, before, year.base)
    bps = rate.for_payee(has_pan=payee.has_pan)
    return Withheld(gross, share, base, bps, _rounded(policy.rounding, base, bps))


def _limit(engine: Engine, payee: Payee) -> int | None:
    """The amount of a year that is spared; None where there is none."""
    match engine:
        case Engine.LEGACY:
            return LEGACY_LIMIT
        case Engine.SHARE | Engine.NONE:
            return None
        case Engine.GROSS:
            return LIMIT if payee.tax_class in EXEMPT and payee.has_pan else None
        case _:
            assert_never(engine)


def _over(crossing: Crossing, limit: int, amount: int, before: int, taxed: int) -> int:
    """What is taxed of `amount` where `before` was paid, and `taxed` of it was taxed."""
    total = before + amount
    if total <= limit:
        return 0
    match crossing:
        case Crossing.EXCESS_ONLY:
            return min(amount, total - limit)
        case Crossing.WHOLE_PAYOUT:
            return amount
        case Crossing.CATCH_UP:
            return max(0, total - taxed)
        case _:
            assert_never(crossing)


def _rounded(rounding: Rounding, base: int, bps: int) -> int:
    match rounding:
        case Rounding.FLOOR_MINOR:
            return base * bps // _BPS
        case Rounding.NEAREST_RUPEE:
            unit = _BPS * _RUPEE
            return (base * bps + unit // 2) // unit * _RUPEE
        case _:
            assert_never(rounding)
