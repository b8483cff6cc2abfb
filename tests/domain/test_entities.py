"""What any provider says is compared with what was asked, field by field."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.answers import ProviderPayout, ProviderStatus
from domain.entities import contradiction, instant
from domain.ports import FrozenRequest

REQUEST = FrozenRequest(
    key="k" * 32,
    body="{}",
    reference="r1",
    amount_minor=100,
    currency="INR",
    fund_account_id="fa_1",
)
PAYOUT = ProviderPayout(
    provider_id="pout_1",
    reference="r1",
    status=ProviderStatus.UNDER_WAY,
    raw_status="processing",
    amount_minor=100,
    currency="INR",
    fund_account_id="fa_1",
    utr=None,
    reason=None,
    created_at=datetime(2026, 4, 1, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (replace(PAYOUT, amount_minor=101), "amount"),
        (replace(PAYOUT, currency="USD"), "currency"),
        (replace(PAYOUT, reference="r2"), "reference"),
        (replace(PAYOUT, reference=None), "reference"),
        (replace(PAYOUT, fund_account_id="fa_2"), "fund account"),
    ],
)
def test_a_contradiction_is_named_by_its_field(changed: ProviderPayout, named: str) -> None:
    """F62."""
    assert contradiction(changed, REQUEST) == f"the answer has another {named}"


def test_an_answer_to_what_was_asked_contradicts_nothing() -> None:
    assert contradiction(PAYOUT, REQUEST) is None
    assert contradiction(replace(PAYOUT, fund_account_id=None), REQUEST) is None
    assert contradiction(PAYOUT, REQUEST._replace(amount_minor=99)) is not None


@pytest.mark.parametrize("seconds", [None, -1, 10**20, "1", 1.0, True])
def test_a_time_that_makes_no_sense_is_none(seconds: object) -> None:
    assert instant({"created": seconds}, "created") is None
