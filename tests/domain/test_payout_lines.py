"""A record becomes a line where every field fits; where one does not, its rule is named."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from domain.errors import BadInputError
from domain.payout_lines import PayoutLine, parse_payout
from domain.payout_modes import Mode
from domain.payout_rules import FIELDS, RAZORPAYX, STRIPE, Rules, faults, rules_of

GOOD = {
    "external_id": "PO-1",
    "payee": "Asha Rao",
    "fund_account_id": "fa_00000000000001",
    "amount": "1250.50",
    "currency": "INR",
    "mode": "",
    "purpose": "vendor bill",
    "narration": "Week 7",
}
LINE = PayoutLine(
    external_id="PO-1",
    payee="Asha Rao",
    fund_account_id="fa_00000000000001",
    amount_minor=125_050,
    currency="INR",
    mode=None,
    purpose="vendor bill",
    narration="Week 7",
)


def record(**changed: str) -> list[str]:
    """Return the good record with some fields changed."""
    return [(GOOD | changed)[field] for field in FIELDS]


def broken(**changed: str) -> list[BadInputError]:
    """Return what is wrong with the good record once some fields are changed."""
    parsed = parse_payout(record(**changed), "p.csv", 7, RAZORPAYX)
    assert isinstance(parsed, list), f"{changed} was taken: {parsed}"
    return parsed


def test_a_record_whose_fields_all_fit_becomes_a_line() -> None:
    assert parse_payout(record(), "p.csv", 7, RAZORPAYX) == LINE
    assert parse_payout(record(mode="UPI"), "p.csv", 7, RAZORPAYX) == replace(LINE, mode=Mode.UPI)


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("external_id", "", "1 to 64 printable"),
        ("external_id", "x" * 65, "1 to 64 printable"),
        ("external_id", " PO-1", "no space at either end"),
        ("external_id", "PO-1 ", "no space at either end"),
        ("external_id", "PO\t1", "printable"),
        ("external_id", "PO\n1", "printable"),
        ("external_id", "PO\u200b1", "printable"),
        ("external_id", "PO\x001", "NUL"),
        ("payee", "", "1 to 64 printable"),
        ("payee", "Caf\udce9", "must be UTF-8 text"),
        ("fund_account_id", "", "provider's token"),
        ("fund_account_id", "fa-1", "provider's token"),
        ("fund_account_id", "fa_1\n", "provider's token"),
        ("fund_account_id", "f" * 41, "provider's token"),
        ("fund_account_id", "50100123456789", "never a bank account number"),
        ("amount", "", "decimal text"),
        ("amount", "-5.00", "decimal text"),
        ("amount", "1e3", "decimal text"),
        ("amount", "1,250.50", "decimal text"),
        ("amount", "12.345", "2 digits after the point"),
        ("amount", "0", "at least 1.00 INR"),
        ("amount", "0.99", "at least 1.00 INR"),
        ("amount", "9" * 19, "larger than can be stored"),
        ("currency", "", "must be INR"),
        ("currency", "USD", "the provider pays out no other"),
        ("currency", "inr", "must be INR"),
        ("mode", "imps", "empty or one of IMPS, NEFT, RTGS, UPI"),
        ("mode", "card", "empty or one of"),
        ("purpose", "", "1 to 30"),
        ("purpose", " payout", "1 to 30"),
        ("purpose", "vendor-bill", "1 to 30"),
        ("purpose", "x" * 31, "1 to 30"),
        ("narration", "x" * 31, "up to 30"),
        ("narration", "50%", "up to 30"),
        ("narration", "Größe", "up to 30"),
    ],
)
def test_a_field_that_breaks_its_rule_is_named_with_place_value_and_rule(
    field: str, value: str, rule: str
) -> None:
    """Invariants 5 and 21: what the provider would refuse never becomes a payout."""
    (error,) = broken(**{field: value})
    assert error.place == f"p.csv row 7 field {field}"
    assert error.value == value
    assert rule in error.rule


@pytest.mark.parametrize(
    ("mode", "taken", "refused"),
    [
        ("", "1.00", "0.99"),
        ("UPI", "99999.99", "100000.00"),
        ("IMPS", "500000.00", "500000.01"),
        ("RTGS", "200000.01", "200000.00"),
        ("NEFT", "1.01", "1.00"),
    ],
)
def test_an_amount_must_fit_its_mode(mode: str, taken: str, refused: str) -> None:
    assert isinstance(
        parse_payout(record(mode=mode, amount=taken), "p.csv", 7, RAZORPAYX), PayoutLine
    )
    (error,) = broken(mode=mode, amount=refused)
    assert error.place.endswith("field amount")


def test_every_broken_rule_of_a_record_is_named_not_the_first_alone() -> None:
    errors = broken(external_id="", amount="x", currency="USD", narration="!")
    assert [error.place.rpartition(" ")[2] for error in errors] == [
        "external_id", "amount", "currency", "narration",
    ]  # fmt: skip


def test_a_long_value_is_cut_where_an_error_repeats_it() -> None:
    (error,) = broken(payee="x" * 10_000)
    assert len(str(error)) < 250


@pytest.mark.parametrize(
    "change",
    [
        {"external_id": "PO-2"},
        {"payee": "Asha Ra0"},
        {"fund_account_id": "fa_2"},
        {"amount_minor": 125_051},
        {"mode": Mode.IMPS},
        {"purpose": "payout"},
        {"narration": ""},
    ],
)
def test_any_change_of_content_changes_the_hash(change: dict[str, str]) -> None:
    changed = replace(LINE, **change)  # type: ignore[arg-type]  # one field by name, of its own type
    assert changed.content_hash != LINE.content_hash


def test_the_hash_is_of_the_content_not_of_its_spelling_and_never_changes() -> None:
    """A changed hash would refuse a repeated import as other content under a known id."""
    assert parse_payout(record(amount="01250.5"), "p.csv", 7, RAZORPAYX) == LINE
    assert LINE.content_hash == "805999f6fcc0050e5df16c376083b51dbc5899215d2d24d2b63ef79e93c8ffd9"


TRANSFER = {"fund_account_id": "acct_1032D82eZvKYlo2C", "currency": "USD"}


def test_stripe_takes_the_currencies_it_counts_as_we_do() -> None:
    for currency, amount, minor in (
        ("USD", "0.01", 1),
        ("JPY", "1250", 1250),
        ("INR", "1.50", 150),
    ):
        changed = record(**{**TRANSFER, "currency": currency, "amount": amount})
        parsed = parse_payout(changed, "p.csv", 7, STRIPE)
        assert isinstance(parsed, PayoutLine)
        assert (parsed.currency, parsed.amount_minor) == (currency, minor)


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("fund_account_id", "fa_00000000000001", "must be a connected account"),
        ("fund_account_id", "acct_" + "x" * 36, "must be a connected account"),
        ("fund_account_id", "ba_1032D82eZvKYlo2C", "must be a connected account"),
        ("currency", "UGX", "must be one of AED, AUD"),
        ("currency", "KWD", "must be one of AED, AUD"),
        ("mode", "IMPS", "must be empty"),
        ("amount", "0", "more than 0"),
        ("amount", "0.001", "2 digits"),
    ],
)
def test_what_a_transfer_cannot_be_is_refused_at_the_door(
    field: str, value: str, rule: str
) -> None:
    errors = parse_payout(record(**{**TRANSFER, field: value}), "p.csv", 7, STRIPE)
    assert isinstance(errors, list)
    [error] = errors
    assert error.place == f"p.csv row 7 field {field}"
    assert rule in error.rule


def test_a_database_that_is_bound_to_nobody_takes_what_razorpayx_does() -> None:
    assert [rules_of(name) for name in (None, "razorpayx", "stripe")] == [
        RAZORPAYX,
        RAZORPAYX,
        STRIPE,
    ]


texts = st.text(max_size=70) | st.sampled_from([*GOOD.values(), "UPI", "1", "5.00", "\ud800", "\0"])


@pytest.mark.parametrize("rules", [RAZORPAYX, STRIPE], ids=["razorpayx", "stripe"])
@given(fields=st.lists(texts, min_size=8, max_size=8))
def test_any_record_is_a_line_or_named_errors_and_both_paths_agree(
    rules: Rules, fields: list[str]
) -> None:
    parsed = parse_payout(fields, "p.csv", 7, rules)
    assert isinstance(parsed, PayoutLine) == (faults(fields, "p.csv row 7", rules) == [])
    if isinstance(parsed, PayoutLine):
        assert parse_payout(parsed.record, "p.csv", 7, rules) == parsed
