"""Receipts as files state them: each fault named with its place, value and rule."""

from datetime import date

import pytest

from domain.receipt_lines import ReceiptLine, parse_receipt
from domain.servicing import Method

RECEIPT = ("RC-1", "O-1", "300.05", "INR", "2026-03-20", "pad")


def test_a_good_receipt_is_a_line_and_a_line_is_that_record() -> None:
    line = parse_receipt(RECEIPT, "r.csv", 2)
    assert isinstance(line, ReceiptLine)
    assert (line.amount_minor, line.received_on) == (30_005, date(2026, 3, 20))
    assert line.method is Method.PAD
    assert line.record == RECEIPT
    assert len(line.content_hash) == 64


def test_what_nobody_said_is_empty_or_unknown() -> None:
    line = parse_receipt(("RC-1", "", "1.00", "INR", "2026-03-20", ""), "r.csv", 2)
    assert isinstance(line, ReceiptLine)
    assert (line.reference, line.method) == ("", Method.UNKNOWN)


@pytest.mark.parametrize(
    ("at", "value", "rule"),
    [
        (0, "", "must be 1 to 64"),
        (1, "x" * 141, "must be at most 140"),
        (1, "rent\nof May", "must be at most 140 printable"),
        (2, "0", "must be more than zero"),
        (2, "1.001", "digits"),
        (2, "-1", "must be"),
        (3, "XXX", "must be one of"),
        (4, "20.3.2026", "must be a date"),
        (5, "cheque", "must be one of ach, manual, pad, unknown"),
    ],
)
def test_each_fault_is_named_with_its_place_value_and_rule(at: int, value: str, rule: str) -> None:
    record = [*RECEIPT]
    record[at] = value
    errors = parse_receipt(record, "r.csv", 7)
    assert isinstance(errors, list)
    [error] = errors
    assert error.place.startswith("r.csv row 7 field ")
    assert rule in str(error)
