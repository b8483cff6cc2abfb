"""RazorpayX's transactions become lines: side, source, the charge inside an amount; what is none is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.razorpayx_statement import read_line
from domain.statements import Side, Source

PAYOUT = {
    "id": "pout_1",
    "entity": "payout",
    "amount": 1000,
    "fees": 590,
    "tax": 90,
    "utr": "000000000001",
}
LINE = {
    "id": "txn_1",
    "entity": "transaction",
    "account_number": "2323230000000001",
    "amount": 1000,
    "currency": "INR",
    "credit": 0,
    "debit": 1000,
    "balance": 5000,
    "source": PAYOUT,
    "created_at": 1_700_000_000,
}


def read(**changes: object) -> Any:  # noqa: ANN401  a line, or None
    return read_line(LINE | changes)


def test_a_payouts_line() -> None:
    line = read()
    assert (line.line_id, line.side, line.amount_minor, line.fee_minor) == (
        "txn_1",
        Side.DEBIT,
        1000,
        0,
    )
    assert (line.source, line.source_id, line.utr) == (Source.PAYOUT, "pout_1", "000000000001")
    assert (line.balance_minor, line.occurred_at) == (
        5000,
        datetime.fromtimestamp(1_700_000_000, UTC),
    )


def test_a_reversals_line_is_about_its_payout() -> None:
    line = read(
        debit=0, credit=1000, source={"id": "rvrsl_1", "entity": "reversal", "payout_id": "pout_1"}
    )
    assert (line.side, line.source, line.source_id) == (Side.CREDIT, Source.REVERSAL, "pout_1")


@pytest.mark.parametrize(
    ("amount", "fee"), [(1000, 0), (1590, 590), (1680, 680), (1001, 0), (999, 0)]
)
def test_only_what_the_source_calls_its_fees_is_a_fee(amount: int, fee: int) -> None:
    """Whether its tax is in its fees or beside them, the provider's pages do not say."""
    assert read(amount=amount, debit=amount).fee_minor == fee


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"entity": "fee_recovery"}, Source.FEE),
        ({"entity": "bank_transfer"}, Source.OTHER),
        ({}, Source.OTHER),
        (None, Source.OTHER),
        ("payout", Source.OTHER),
    ],
    ids=str,
)
def test_other_sources(source: object, told: Source) -> None:
    line = read(source=source)
    assert (line.source, line.source_id) == (told, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": None},
        {"id": "txn\x00"},
        {"account_number": 1},
        {"balance": "5000"},
        {"balance": 1.5},
        {"created_at": -1},
        {"currency": ""},
        {"debit": 0},
        {"credit": 1000},
        {"debit": -5},
        {"debit": True},
    ],
    ids=str,
)
def test_what_is_no_line_is_none(wrong: dict[str, object]) -> None:
    assert read_line(LINE | wrong) is None


def test_what_is_no_object_is_none() -> None:
    assert read_line([LINE]) is None
