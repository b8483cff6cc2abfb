"""A line of an earning is read exactly, or every rule that it breaks is named."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.earning_lines import FIELDS, EarningLine, parse_earning
from domain.earnings import EarningKind
from domain.errors import BadInputError
from domain.sample_earnings import sample_earnings, sample_payees

GOOD = ("E-1", "Asha Rao", "webinar", "1250.50", "1000.40", "INR", "2026-01-05T06:00:00+05:30")


def read(**changes: str) -> EarningLine | list[BadInputError]:
    record = dict(zip(FIELDS, GOOD, strict=True)) | changes
    return parse_earning([record[name] for name in FIELDS], "e.csv", 2)


def test_a_record_becomes_a_line() -> None:
    line = read()
    assert isinstance(line, EarningLine)
    assert (line.gross_minor, line.amount_minor) == (125_050, 100_040)
    assert line.earned_at == datetime(2026, 1, 5, 0, 30, tzinfo=UTC)


def test_the_same_moment_and_amount_are_the_same_content_however_they_are_spelled() -> None:
    one, other = read(), read(earned_at="2026-01-05T00:30Z", gross="1250.5")
    assert isinstance(one, EarningLine)
    assert isinstance(other, EarningLine)
    assert one.content_hash == other.content_hash


@pytest.mark.parametrize(
    ("kind", "hours"),
    [("consultation", 24), ("class", 24), ("webinar", 48), ("subscription", 168), ("other", 24)],
)
def test_each_kind_is_held_as_long_as_its_customers_may_complain(kind: str, hours: int) -> None:
    line = read(kind=kind)
    assert isinstance(line, EarningLine)
    assert line.ready_at - line.earned_at == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("external_id", "", "must be 1 to 64"),
        ("payee", " Asha", "no space at either end"),
        ("kind", "gift", "must be one of consultation"),
        ("gross", "1e3", "decimal text"),
        ("amount", "0.00", "must be more than zero"),
        ("amount", "1250.51", "must not be more than the gross"),
        ("amount", "1.001", "2 digits after the point"),
        ("currency", "XXX", "must be one of AED"),
        ("earned_at", "2026-01-05", "with its zone"),
        ("earned_at", "yesterday", "ISO 8601"),
        ("earned_at", "9999-12-31T23:00Z", "years 1 to 9999"),
        ("payee", "\0", "NUL"),
    ],
)
def test_a_bad_field_is_named_with_its_rule(field: str, value: str, rule: str) -> None:
    """F88."""
    errors = read(**{field: value})
    assert isinstance(errors, list)
    assert [error.place for error in errors] == [f"e.csv row 2 field {field}"]
    assert rule in errors[0].rule


def test_samples_are_valid_and_the_same_for_the_same_seed() -> None:
    lines = list(sample_earnings(500, 1))
    assert lines == list(sample_earnings(600, 1))[:500]
    assert [parse_earning(line.record, "s", 1) for line in lines] == lines
    assert {line.payee for line in lines} <= {payee.name for payee in sample_payees(1)}
    assert {line.kind for line in lines} == set(EarningKind) - {EarningKind.OTHER}
