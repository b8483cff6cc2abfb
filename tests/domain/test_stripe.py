"""A transfer is frozen to what Stripe accepts, and to the same bytes every time."""

import json

import pytest
from hypothesis import given, strategies as st

from domain.errors import BadInputError
from domain.ports import PayoutOrder
from domain.stripe import fits_account, fits_key, freeze, parameters

ORDER = PayoutOrder(
    reference="0d0c6ff5-52b7-4d3e-9c2d-6f8f0b2c1a11",
    amount_minor=125_050,
    currency="INR",
    fund_account_id="acct_1032D82eZvKYlo2C",
    mode="IMPS",
    purpose="payout",
    narration="Weekly payout",
)


def test_a_transfer_is_frozen_to_exactly_these_bytes() -> None:
    """Invariant 4: whoever changes this text makes every payment in doubt unpayable."""
    assert freeze(ORDER) == (
        '{"amount":125050,"currency":"inr","description":"Weekly payout",'
        '"destination":"acct_1032D82eZvKYlo2C",'
        '"metadata":{"purpose":"payout","reference":"0d0c6ff5-52b7-4d3e-9c2d-6f8f0b2c1a11"},'
        '"transfer_group":"0d0c6ff5-52b7-4d3e-9c2d-6f8f0b2c1a11"}'
    )


def test_a_transfer_without_a_narration_has_no_description() -> None:
    assert "description" not in parameters(freeze(ORDER._replace(narration="")))


@given(narration=st.text(), amount_minor=st.integers(min_value=1, max_value=2**63 - 1))
def test_every_order_that_freezes_says_what_was_asked(narration: str, amount_minor: int) -> None:
    text = freeze(ORDER._replace(narration=narration, amount_minor=amount_minor))
    assert text.isascii()
    body = json.loads(text)
    assert (body["amount"], body["currency"]) == (amount_minor, "inr")
    assert body["transfer_group"] == ORDER.reference
    assert body.get("description", "") == narration


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (ORDER._replace(amount_minor=0), "amount"),
        (ORDER._replace(amount_minor=-1), "amount"),
        (ORDER._replace(currency="XYZ"), "currency"),
        (ORDER._replace(currency="inr"), "currency"),
        (ORDER._replace(currency="UGX"), "currency"),
        (ORDER._replace(currency="KWD"), "currency"),
        (ORDER._replace(fund_account_id="fa_00000000000001"), "fund_account_id"),
        (ORDER._replace(fund_account_id="ba_00000000000001"), "fund_account_id"),
        (ORDER._replace(fund_account_id="acct_1\n"), "fund_account_id"),
        (ORDER._replace(reference=""), "reference"),
        (ORDER._replace(reference="x" * 256), "reference"),
    ],
)
def test_what_stripe_would_refuse_is_not_frozen(order: PayoutOrder, field: str) -> None:
    with pytest.raises(BadInputError) as refused:
        freeze(order)
    assert refused.value.place == field


@pytest.mark.parametrize(("key", "fits"), [("k" * 32, True), ("k" * 255, True), ("k" * 256, False),
    ("", False), ("a b", False), ("a\n", False), ("\u00e9", False)])  # fmt: skip
def test_a_key_is_what_a_header_carries(key: str, *, fits: bool) -> None:
    """F67."""
    assert bool(fits_key(key)) is fits


def test_an_account_is_spelled_as_stripe_spells_it() -> None:
    assert fits_account("acct_1032D82eZvKYlo2C")
    assert not any(map(fits_account, ["", "acct_", "acct-1", "ACCT_1", "acct_1 ", "acct_\u0661"]))
