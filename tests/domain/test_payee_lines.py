"""A line of a payee is read exactly, or every rule that it breaks is named."""

import pytest

from domain.payee_lines import FIELDS, PayeeLine, parse_payee
from domain.sample_earnings import sample_payees

GOOD = (
    "Asha Rao",
    "fa_1",
    "organisation",
    "company",
    "yes",
    "no",
    "yes",
    "no",
    "asha@example.org",
    "vpa",
)


def test_a_record_becomes_a_line() -> None:
    line = parse_payee(GOOD, "p.csv", 2)
    assert isinstance(line, PayeeLine)
    assert line.record == GOOD
    assert (line.has_pan, line.resident, line.verified, line.default) == (True, False, True, False)


def test_what_is_not_told_is_never_exempt_and_never_paid_to() -> None:
    line = parse_payee(("Asha Rao", "fa_1", "", "", "", "", "", "", "", ""), "p.csv", 2)
    assert isinstance(line, PayeeLine)
    assert (line.kind, line.tax_class) == ("person", "unknown")
    assert (line.has_pan, line.resident, line.verified, line.default) == (False, True, False, False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("fund_account_id", "0123456789"),
        ("kind", "robot"),
        ("tax_class", "Company"),
        ("has_pan", "true"),
        ("default", "1"),
        ("email", "asha@example.org, all@example.org"),
    ],
)
def test_a_bad_field_is_named(field: str, value: str) -> None:
    """F88."""
    record = dict(zip(FIELDS, GOOD, strict=True)) | {field: value}
    errors = parse_payee([record[name] for name in FIELDS], "p.csv", 2)
    assert isinstance(errors, list)
    assert [error.place for error in errors] == [f"p.csv row 2 field {field}"]


def test_samples_are_valid() -> None:
    lines = list(sample_payees(1))
    assert [parse_payee(line.record, "s", 1) for line in lines] == lines
    assert len({line.fund_account_id for line in lines}) == len(lines)
