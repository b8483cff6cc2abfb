"""What a batch pays, to whom, under which name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from domain.batching import (
    BatchPolicy,
    LeftOut,
    Owed,
    Period,
    batch_external_id,
    left_out,
    narration,
    run_key,
)
from domain.razorpayx import fits_narration

PAYEE = UUID(int=7)
MONDAY = datetime(2026, 12, 28, 5, tzinfo=UTC)


def owed(amount: int, account: tuple[bool | None, bool | None] = (True, True)) -> Owed:
    verified, active = account
    return Owed(
        payee=PAYEE,
        currency="INR",
        amount=amount,
        items=1,
        parts="{}",
        is_verified=verified,
        is_active=active,
    )


@pytest.mark.parametrize(("amount", "reason"), [(49_999, LeftOut.BELOW_MINIMUM), (50_000, None)])
def test_the_minimum_is_paid_and_a_paisa_less_is_not(amount: int, reason: LeftOut | None) -> None:
    """Invariant 20."""
    assert left_out(owed(amount), BatchPolicy()) is reason


@pytest.mark.parametrize(("owing", "reason"), [(50_000, None), (50_001, LeftOut.OWES_BACK)])
def test_the_minimum_is_what_is_left_after_what_is_owed_back(
    owing: int, reason: LeftOut | None
) -> None:
    assert left_out(replace(owed(100_000), owing=owing), BatchPolicy()) is reason


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        ((None, None), LeftOut.NO_ACCOUNT),
        ((False, True), LeftOut.NOT_VERIFIED),
        ((True, False), LeftOut.NOT_ACTIVE),
    ],
)
def test_only_a_default_account_that_is_verified_and_active_is_paid(
    account: tuple[bool | None, bool | None], reason: LeftOut
) -> None:
    """Invariant 22."""
    assert left_out(owed(50_000, account), BatchPolicy()) is reason


@pytest.mark.parametrize(
    ("period", "key"),
    [
        (Period.HOUR, "2026-12-28T05"),
        (Period.DAY, "2026-12-28"),
        (Period.WEEK, "2026-W53"),
        (Period.MONTH, "2026-12"),
    ],
)
def test_a_period_is_named_in_utc_by_the_time_the_batch_was_due(period: Period, key: str) -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert run_key(period, MONDAY) == run_key(period, MONDAY.astimezone(india)) == key


def test_a_week_is_that_of_iso_8601() -> None:
    assert run_key(Period.WEEK, datetime(2027, 1, 3, 23, tzinfo=UTC)) == "2026-W53"
    assert run_key(Period.WEEK, datetime(2027, 1, 4, tzinfo=UTC)) == "2027-W01"


def test_two_currencies_are_two_payouts() -> None:
    """Invariant 21."""
    rupees, dollars = (batch_external_id("earnings", "2026-W53", PAYEE, c) for c in ("INR", "USD"))
    assert rupees != dollars


@pytest.mark.parametrize("period", list(Period))
def test_what_the_payee_reads_fits_the_provider(period: Period) -> None:
    assert fits_narration(narration("Earnings", run_key(period, MONDAY)))
