"""Money is read and written exactly, or refused with the rule it breaks."""

import pytest
from hypothesis import given, strategies as st

from domain.errors import BadInputError
from domain.money import (
    EXPONENTS,
    MINOR_MAX,
    Minor,
    Money,
    check_currency,
    format_major,
    parse_major,
)


@given(st.integers(0, MINOR_MAX), st.sampled_from(sorted(EXPONENTS)))
def test_what_is_written_is_read_back_exactly(minor: int, currency: str) -> None:
    """Invariant 80: no amount passes through a float, so none of 64 bits is lost."""
    assert parse_major(format_major(minor, currency), currency, "amount") == minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1250.50", "INR", 125_050),
        ("1250.5", "INR", 125_050),
        ("0", "INR", 0),
        ("007.01", "INR", 701),
        ("15", "JPY", 15),
        ("1.234", "KWD", 1_234),
        ("92233720368547758.07", "INR", MINOR_MAX),
    ],
)
def test_decimal_text_becomes_minor_units(text: str, currency: str, minor: int) -> None:
    assert parse_major(text, currency, "amount") == minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "-1",
        "+1",
        "1e3",
        "1,000",
        ".5",
        "5.",
        "NaN",
        "٣",
        "1_000",
        "0x1",
        "1\n",
        "1.5.0",
    ],
)
def test_what_is_no_plain_decimal_text_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="decimal text in major units") as refused:
        parse_major(text, "INR", "row 3")
    assert (refused.value.place, refused.value.value) == ("row 3", text)


def test_more_digits_than_the_currency_has_are_refused_even_where_they_are_zero() -> None:
    with pytest.raises(BadInputError, match="INR has 2 digits"):
        parse_major("1.500", "INR", "amount")
    with pytest.raises(BadInputError, match="JPY has 0 digits"):
        parse_major("1.0", "JPY", "amount")


@pytest.mark.parametrize("text", ["92233720368547758.08", "9" * 19, "9" * 5_000])
def test_what_64_bits_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="larger than can be stored"):
        parse_major(text, "INR", "amount")


@pytest.mark.parametrize("code", ["", "inr", "XXX", "INR "])
def test_an_unknown_currency_is_refused_by_name(code: str) -> None:
    with pytest.raises(BadInputError, match=r"must be one of .*INR"):
        check_currency(code, "currency")
    with pytest.raises(BadInputError, match="must be one of"):
        parse_major("1", code, "amount")


def test_small_and_negative_amounts_keep_their_zeros_and_sign() -> None:
    assert format_major(5, "INR") == "0.05"
    assert format_major(-5, "INR") == "-0.05"
    assert format_major(-1_234, "KWD") == "-1.234"
    assert format_major(7, "JPY") == "7"
    assert str(Money(minor=Minor(125_050), currency="INR")) == "1250.50 INR"
