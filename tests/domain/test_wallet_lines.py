"""One credit as a file states it: money as decimal text, each fault named with its place, value and rule."""

import pytest

from domain.wallet_lines import WalletLine, parse_wallet

GOOD = ("W-1", "asha", "12.50", "INR")


def test_a_good_record_is_a_line_and_a_line_is_that_record() -> None:
    line = parse_wallet(GOOD, "w.csv", 2)
    assert line == WalletLine(external_id="W-1", payee="asha", amount_minor=1250, currency="INR")
    assert line.record == GOOD
    assert len(line.content_hash) == 64


@pytest.mark.parametrize(
    ("at", "value", "rule"),
    [
        (0, "", "must"),
        (1, " x", "must"),
        (2, "0", "must be more than zero"),
        (2, "1.234", "2 digits"),
        (2, "-1", "must"),
        (2, "NaN", "must"),
        (3, "XXX", "must be one of"),
    ],
)
def test_bad_values_are_named(at: int, value: str, rule: str) -> None:
    record = [*GOOD]
    record[at] = value
    errors = parse_wallet(record, "w.csv", 2)
    assert isinstance(errors, list)
    assert [error.place.startswith("w.csv row 2") for error in errors] == [True]
    assert rule in errors[0].rule
