"""A record of a statement file becomes a line, or every rule it breaks is named."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.statement_lines import FIELDS, parse_line
from domain.statements import Side, Source, StatementLine, in_order

GOOD = {
    "line_id": "txn_1",
    "account": "2323230000000001",
    "occurred_at": "2026-01-05T11:30:00+05:30",
    "side": "debit",
    "amount": "1250.50",
    "fee": "",
    "currency": "INR",
    "balance": "-3.5",
    "utr": "000000000001",
    "source": "payout",
    "source_id": "pout_1",
}


def parsed(**changes: str) -> StatementLine | list[str]:
    record = [(GOOD | changes)[field] for field in FIELDS]
    found = parse_line(record, "s.csv", 2)
    return [str(error) for error in found] if isinstance(found, list) else found


def test_a_record_is_read_exactly() -> None:
    assert parsed() == StatementLine(
        line_id="txn_1",
        account="2323230000000001",
        occurred_at=datetime(2026, 1, 5, 6, tzinfo=UTC),
        side=Side.DEBIT,
        amount_minor=125_050,
        fee_minor=0,
        currency="INR",
        balance_minor=-350,
        utr="000000000001",
        source=Source.PAYOUT,
        source_id="pout_1",
    )


def test_what_need_not_be_said_may_be_empty() -> None:
    line = parsed(utr="", source_id="", fee="5.90", source="other")
    assert isinstance(line, StatementLine)
    assert (line.utr, line.source_id, line.fee_minor) == (None, None, 590)


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("line_id", "", "must be 1 to 64"),
        ("account", " 1", "must be 1 to 64"),
        ("occurred_at", "05/01/2026 06:00", "must be ISO 8601 with its zone"),
        ("occurred_at", "2026-01-05T06:00:00", "must be ISO 8601 with its zone"),
        ("side", "DR", "must be one of debit, credit"),
        ("amount", "-1.00", "the side says in which direction"),
        ("amount", "1,250.50", "must be decimal text"),
        ("amount", "1.2E+05", "must be decimal text"),
        ("amount", "0.00", "must be more than zero"),
        ("amount", "1.001", "INR has 2 digits"),
        ("fee", "1250.51", "must be a part of the amount"),
        ("currency", "inr", "must be one of"),
        ("balance", "", "must be decimal text"),
        ("balance", "--1", "must be decimal text"),
        ("utr", "1.23457E+11", "a spreadsheet rounds long numbers"),
        ("source", "salary", "must be one of payout, reversal, fee, other"),
        ("source_id", "x" * 65, "must be empty or must be 1 to 64"),
        ("line_id", "\udcff", "must be UTF-8 text"),
    ],
)
def test_a_rule_that_is_broken_is_named_with_its_place_and_value(
    field: str, value: str, rule: str
) -> None:
    """F88."""
    errors = parsed(**{field: value})
    assert isinstance(errors, list)
    assert [error for error in errors if f"s.csv row 2 field {field}" in error and rule in error]


def test_every_broken_field_of_a_record_is_named() -> None:
    errors = parsed(side="in", source="?", amount="x")
    assert isinstance(errors, list)
    assert len(errors) == 3


def lines(*moves: tuple[int, int, int]) -> list[StatementLine]:
    """Lines of (second, change, balance)."""
    good = parsed()
    assert isinstance(good, StatementLine)
    return [
        StatementLine(
            line_id=f"txn_{at}",
            account=good.account,
            occurred_at=good.occurred_at + timedelta(seconds=second),
            side=Side.CREDIT if change > 0 else Side.DEBIT,
            amount_minor=abs(change),
            fee_minor=0,
            currency="INR",
            balance_minor=balance,
            utr=None,
            source=Source.OTHER,
            source_id=None,
        )
        for at, (second, change, balance) in enumerate(moves)
    ]


@pytest.mark.parametrize(
    "moves",
    [
        ((0, -5, 95), (1, 10, 105), (1, -1, 104)),
        ((0, -5, 95), (0, 10, 105), (0, -1, 104)),
        ((7, 3, 3),),
        (),
    ],
    ids=["seconds", "one second", "one line", "none"],
)
def test_lines_are_put_in_their_order_whichever_way_the_file_has_them(
    moves: tuple[tuple[int, int, int], ...],
) -> None:
    right = lines(*moves)
    assert in_order(right) == in_order(right[::-1]) == right
