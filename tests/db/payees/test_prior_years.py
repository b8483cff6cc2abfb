"""What another system paid in a year counts for the exemption, is told once, and is never counted twice."""

from collections.abc import Iterator

import pytest

from db.engine import Database
from domain.errors import BadInputsError
from tests.builders import assert_sound, payout
from tests.driving import drive, process
from tests.earned import LIMIT, earned
from tests.fakes.bank import FakeBank
from tests.operating import opened, query
from tests.told import YEAR, parsed_year as parsed, year as line, years_taken as take


@pytest.fixture
def operator(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


@pytest.mark.parametrize("told_first", [True, False])
def test_the_exemption_that_another_system_used_is_not_given_again(
    operator: Database,
    database_url: str,
    told_first: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Golden: prior 49,900,000 paise and 200,000 more: 100,000 are taxed, 100 paise."""
    if told_first:
        take(operator, [line()])
    id_ = earned(operator, "P-1", gross=200_000)
    if not told_first:
        take(operator, [line()])
    with opened(database_url, "bursar_worker") as worker:
        drive(worker, process(FakeBank()))
    sent = payout(operator, id_)
    assert (sent.tds_base, sent.tds_deducted) == (100_000, 100)
    [year] = query(operator, "SELECT * FROM tax_years")
    assert (year.gross, year.prior_gross, year.tax) == (LIMIT + 100_000, 49_900_000, 100)
    assert_sound(operator)


def test_told_again_it_is_not_counted_again_and_a_dry_run_counts_nothing(
    operator: Database,
) -> None:
    assert take(operator, [line()], dry_run=True) == 1
    assert query(operator, "SELECT FROM tax_years") == []
    both = [line(), line(fund_account_id="fa_2")]
    assert take(operator, both) == 1
    assert take(operator, both) == 0
    assert [row.gross for row in query(operator, "SELECT gross FROM tax_years")] == [49_900_000]
    assert take(operator, [line(prior_year="2024-25")]) == 1
    assert_sound(operator)


def test_told_otherwise_it_is_an_error_naming_row_and_field(operator: Database) -> None:
    with pytest.raises(BadInputsError) as in_file:
        take(operator, [line(), line(fund_account_id="fa_2", prior_gross="499000.01")])
    assert in_file.value.errors[0].place == "old.csv row 3 field prior_gross"
    assert query(operator, "SELECT FROM payees") == []
    take(operator, [line()])
    with pytest.raises(BadInputsError) as before:
        take(operator, [line(prior_tax="0.01", prior_base="10.00")])
    assert [e.place for e in before.value.errors] == [
        "old.csv row 2 field prior_base", "old.csv row 2 field prior_tax",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"prior_year": ""}, "prior_year", "told whole"),
        ({"prior_tax": ""}, "prior_tax", "told whole"),
        ({"prior_year": "2025-27"}, "prior_year", "must be a financial year"),
        ({"prior_year": "2998-99"}, "prior_year", f"must not be later than {YEAR}"),
        ({"prior_gross": "5e5"}, "prior_gross", "decimal"),
        ({"prior_share": "499000.01"}, "prior_share", "must not be more than prior_gross"),
        ({"prior_base": "499000.01"}, "prior_base", "no more can be taxed"),
        ({"prior_tax": "1.00"}, "prior_tax", "must not be more than prior_base"),
        ({"kind": "robot"}, "kind", "must be empty or one of"),
    ],
)
def test_what_does_not_fit_names_row_field_and_rule(
    changes: dict[str, str], field: str, rule: str
) -> None:
    errors = parsed(**changes)
    assert isinstance(errors, list)
    assert rule in {str(e.place): str(e.rule) for e in errors}[f"old.csv row 2 field {field}"]


def test_a_payee_of_no_year_is_a_payee(operator: Database) -> None:
    none = dict.fromkeys(
        ("prior_year", "prior_gross", "prior_share", "prior_base", "prior_tax"), ""
    )
    assert take(operator, [line(**none)]) == 0
    assert len(query(operator, "SELECT FROM payees")) == 1
