"""Each mode carries what the provider says it carries, to the paisa."""

import pytest

from domain.payout_modes import LIMITS, Mode, mode_fault, mode_for, vpa_fault


@pytest.mark.parametrize(
    ("mode", "inside", "outside"),
    [
        (None, 100, 99),
        (Mode.IMPS, 50_000_000, 50_000_001),
        (Mode.IMPS, 100, 99),
        (Mode.NEFT, 101, 100),
        (Mode.RTGS, 20_000_001, 20_000_000),
        (Mode.UPI, 9_999_999, 10_000_000),
        (Mode.UPI, 100, 99),
    ],
)
def test_a_mode_ends_exactly_at_its_limit(mode: Mode | None, inside: int, outside: int) -> None:
    """Invariant 5: an amount is at least 100 paise, and what its mode carries."""
    assert mode_fault(mode, inside) is None
    assert mode_fault(mode, outside) is not None


def test_the_fault_says_the_limit_in_major_units_and_the_mode() -> None:
    assert mode_fault(Mode.UPI, 10_000_000) == "must be at most 99999.99 INR for mode UPI"
    assert mode_fault(Mode.RTGS, 100) == "must be at least 200000.01 INR for mode RTGS"


def test_every_mode_has_limits() -> None:
    assert set(LIMITS) == set(Mode)


@pytest.mark.parametrize(
    ("amount_minor", "mode"),
    [(100, Mode.IMPS), (50_000_000, Mode.IMPS), (50_000_001, Mode.NEFT), (10**15, Mode.NEFT)],
)
def test_an_unnamed_mode_is_imps_while_it_fits_and_always_allowed(
    amount_minor: int, mode: Mode
) -> None:
    assert mode_for(amount_minor) is mode
    assert mode_fault(mode, amount_minor) is None


def test_to_a_vpa_upi_alone_leads_and_carries_less_than_a_lakh() -> None:
    assert mode_for(50_000_001, to_vpa=True) is Mode.UPI
    assert vpa_fault(None, 9_999_999) is None
    assert vpa_fault("UPI", 100) is None
    assert "99999.99" in (vpa_fault(None, 10_000_000) or "")
    assert "IMPS does not lead to a VPA" in (vpa_fault("IMPS", 100) or "")
