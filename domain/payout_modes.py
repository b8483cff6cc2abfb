"""The ways a payout may travel, and the amounts each of them carries."""

from enum import StrEnum
from typing import Final

from domain.money import MINOR_MAX, format_major

AMOUNT_MIN: Final = 100
"""The smallest payout, in paise (RazorpayX, create payout: `amount` at least 100)."""


class Mode(StrEnum):
    """A rail between banks, spelled as the provider spells it."""

    IMPS = "IMPS"
    NEFT = "NEFT"
    RTGS = "RTGS"
    UPI = "UPI"


LIMITS: Final = {
    Mode.IMPS: (AMOUNT_MIN, 50_000_000),
    Mode.NEFT: (AMOUNT_MIN + 1, MINOR_MAX),
    Mode.RTGS: (20_000_001, MINOR_MAX),
    Mode.UPI: (AMOUNT_MIN, 9_999_999),
}
"""Smallest and largest amount by mode, in paise, both included.

Source: RazorpayX payout modes. Its tables disagree on UPI ("up to" and "below" 1 lakh): the strict
side is taken. NEFT is "above 1 rupee", RTGS "above 2 lakh", IMPS "up to 5 lakh".
"""


def mode_for(amount_minor: int, *, to_vpa: bool = False) -> Mode:
    """Return the mode of a payout that named none: UPI to a VPA, else IMPS while it fits, else NEFT."""
    if to_vpa:
        return Mode.UPI
    return Mode.IMPS if amount_minor <= LIMITS[Mode.IMPS][1] else Mode.NEFT


def vpa_fault(mode: str | None, amount_minor: int) -> str | None:
    """Why `amount_minor` paise cannot be sent to a VPA by `mode` (None: any); None where they can.

    Nothing but UPI leads to one, and that carries less than 1 lakh rupees.
    """
    if mode not in {None, Mode.UPI}:
        return f"{mode} does not lead to a VPA: UPI alone does"
    fault = mode_fault(Mode.UPI, amount_minor)
    return None if fault is None else f"its payout account is a VPA, and its amount {fault}"


def mode_fault(mode: Mode | None, amount_minor: int) -> str | None:
    """Return the rule that `amount_minor` paise break under `mode`, or None where they fit."""
    if amount_minor < AMOUNT_MIN:
        return f"must be at least {format_major(AMOUNT_MIN, 'INR')} INR (the provider's minimum)"
    if mode is None:
        return None
    low, high = LIMITS[mode]
    if amount_minor < low:
        return f"must be at least {format_major(low, 'INR')} INR for mode {mode}"
    if amount_minor > high:
        return f"must be at most {format_major(high, 'INR')} INR for mode {mode}"
    return None
