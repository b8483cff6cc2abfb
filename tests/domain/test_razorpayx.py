"""A frozen request is what the provider accepts, and the same bytes every time."""

import json
from uuid import uuid4

import pytest
from hypothesis import given, strategies as st

from domain.errors import BadInputError
from domain.payout_ids import reference
from domain.ports import PayoutOrder
from domain.razorpayx import fits_key, fits_narration, freeze, narrate

ORDER = PayoutOrder(
    reference="0d0c6ff5-52b7-4d3e-9c2d-6f8f0b2c1a11",
    amount_minor=125_050,
    currency="INR",
    fund_account_id="fa_00000000000001",
    mode="IMPS",
    purpose="payout",
    narration="Weekly payout",
)


def test_a_request_is_frozen_to_exactly_these_bytes() -> None:
    """Invariant 4: whoever changes this text makes every payment in doubt unpayable."""
    assert freeze(ORDER, "2323230000000001") == (
        '{"account_number":"2323230000000001","amount":125050,"currency":"INR",'
        '"fund_account_id":"fa_00000000000001","mode":"IMPS","narration":"Weekly payout",'
        '"purpose":"payout","queue_if_low_balance":true,'
        '"reference_id":"0d0c6ff5-52b7-4d3e-9c2d-6f8f0b2c1a11"}'
    )


@given(narration=st.text(), amount_minor=st.integers(min_value=100, max_value=50_000_000))
def test_every_order_that_freezes_keeps_the_provider_rules(
    narration: str, amount_minor: int
) -> None:
    """Invariant 5."""
    text = freeze(ORDER._replace(narration=narration, amount_minor=amount_minor), "1")
    body = json.loads(text)
    assert text.isascii()
    assert body["amount"] == amount_minor
    assert fits_narration(body.get("narration", ""))
    assert body.get("narration") != ""
    assert len(body["reference_id"]) <= 40


@pytest.mark.parametrize(
    "order",
    [
        ORDER._replace(amount_minor=99),
        ORDER._replace(amount_minor=50_000_001),
        ORDER._replace(currency="USD"),
        ORDER._replace(mode="imps"),
        ORDER._replace(mode=""),
        ORDER._replace(purpose=""),
        ORDER._replace(purpose="x" * 31),
        ORDER._replace(fund_account_id=""),
        ORDER._replace(reference="x" * 41),
        ORDER._replace(reference=""),
    ],
)
def test_an_order_that_breaks_a_rule_is_never_frozen(order: PayoutOrder) -> None:
    """Invariants 5 and 21."""
    with pytest.raises(BadInputError):
        freeze(order, "1")


def test_a_narration_keeps_what_a_statement_can_print() -> None:
    assert narrate("Familiarise: org payout #7 — März") == "Familiarise org payout 7 M rz"
    assert narrate("x" * 29 + " yz") == "x" * 29
    assert narrate("—") == ""


@pytest.mark.parametrize("key", ["abc", "x" * 37, "key/1", "ключи", "", "abcd\n"])
def test_a_key_outside_the_rule_does_not_fit(key: str) -> None:
    """F67."""
    assert not fits_key(key)


def test_keys_and_references_fit() -> None:
    """F67: 32 hex digits, and a reference of any generation an operator will ever reach."""
    assert fits_key(uuid4().hex)
    assert len(reference(uuid4(), 999)) <= 40
