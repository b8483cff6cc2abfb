"""`bursar tax`: a return's lines, payees' years, and what another engine would do."""

import csv
import io

import pytest

from db import clock
from db.engine import Database
from domain.tax_periods import period
from tests.driving import drive, follow, hasten, process
from tests.earned import COMPANY, PERSON, earned, paid_and_given_back
from tests.fakes.bank import FakeBank
from tests.operating import opened, query
from tests.workers.cli.conftest import Line


@pytest.fixture
def paid(bursar: Line, database_url: str) -> Line:
    """A company whose two payouts were paid, one of them given back since."""
    with opened(database_url, "bursar_worker") as worker:
        paid_and_given_back(bursar.database, worker, FakeBank())
    return bursar


def now(database: Database) -> tuple[str, str]:
    """The financial year and quarter it is."""
    with database.begin() as tx:
        at = period(clock.now(tx))
    return at.financial_year, at.quarter


def test_the_report_tells_what_was_withheld_given_back_and_is_owed(paid: Line) -> None:
    year, quarter = now(paid.database)
    [row] = paid("tax", "report", "--fy", year, "--quarter", quarter, "--json").json
    assert (row["payee"], row["tax_class"], row["has_pan"]) == (COMPANY.name, "company", True)
    assert (row["payouts"], row["gross_minor"], row["base_minor"]) == (2, 200_000, 200_000)
    assert (row["tax_minor"], row["reversed_minor"], row["net_minor"]) == (200, 100, 100)
    assert (row["reversed_gross_minor"], row["code"]) == (100_000, "1035")
    table = paid("tax", "report", "--fy", year).out
    assert "total 1.00 INR" in table
    said = paid("tax", "report", "--fy", year, "--csv")
    assert next(csv.DictReader(io.StringIO(said.out)))["net_minor"] == "100"


def test_the_report_tells_what_may_be_set_off_for_what_was_refunded_since(
    bursar: Line, database_url: str
) -> None:
    """In proportion, by floor: a third of the share is a third of its tax; the record stays as it was."""
    with opened(database_url, "bursar_worker") as worker:
        bank = FakeBank()
        earned(bursar.database, "A", gross=100_000, payee=COMPANY)
        drive(worker, process(bank))
        bank.finish()
        hasten(worker)
        drive(worker, follow(bank))
    year, quarter = now(bursar.database)
    report = ("tax", "report", "--fy", year, "--quarter", quarter, "--json")
    assert [row["set_off_minor"] for row in bursar(*report).json] == [0]
    [one] = query(bursar.database, "SELECT id FROM earnings")
    reduce = ("earnings", "reduce", str(one.id), "--refunded", "266.67", "--why", "late")
    assert bursar(*reduce).code == 0
    [row] = bursar(*report).json
    assert (row["tax_minor"], row["set_off_minor"], row["refunded_gross_minor"]) == (
        100,
        33,
        33_334,
    )
    assert row["net_minor"] == 100


def test_a_period_in_which_nothing_was_paid_is_empty_and_a_wrong_one_is_refused(paid: Line) -> None:
    assert paid("tax", "report", "--fy", "2021-22", "--json").json == []
    said = paid("tax", "report", "--fy", "2026-28")
    assert (said.code, said.out) == (2, "")
    assert "must be a financial year, such as 2026-27" in said.err
    assert paid("tax", "report", "--fy", "2026-27", "--quarter", "Q5").code == 2


def test_the_report_goes_page_by_page_and_its_pages_are_the_whole(
    paid: Line, database_url: str
) -> None:
    query(
        paid.database,
        """INSERT INTO tax_records (payout, generation, payee, currency, financial_year, quarter, section, code, engine,
                                    rate_bps, gross, share, base, tax, recorded_at)
           SELECT p.id, 9, y.id, 'INR', '2024-25', 'Q1', 's', 'c', 'e', 10, 1, 1, 1, 0, clock_timestamp()
           FROM payouts p CROSS JOIN payees y WHERE p.external_id = 'z-1' RETURNING 1""",
    )
    words = ("tax", "report", "--fy", "2024-25", "--json", "--limit", "1")
    first = paid(*words).json
    assert len(first) == 1
    assert paid(*words, "--after", first[0]["payee_id"]).json == []


def test_years_tell_what_a_payee_was_paid_or_is_about_to_be(paid: Line) -> None:
    [row] = paid("tax", "years", "--json").json
    assert (row["payee"], row["gross_minor"], row["tax_minor"]) == (COMPANY.name, 100_000, 100)
    assert row["financial_year"] == now(paid.database)[0]
    assert paid("tax", "years", "--fy", "2021-22").out == "nobody was paid out of earnings\n"


def test_another_engine_is_compared_over_what_is_open_and_nothing_is_written(paid: Line) -> None:
    earned(paid.database, "A", gross=100_000, payee=COMPANY)
    earned(paid.database, "B", gross=100_000, approve=False)
    earned(paid.database, "C", gross=100_000, payee=PERSON._replace(name="N", resident=False))
    before = query(paid.database, "SELECT * FROM payouts ORDER BY id")
    ours, other, more = paid("tax", "compare", "194o", "--json").json
    assert (ours["engine"], ours["payouts"], ours["refused"]) == ("194o_gross", 2, 1)
    assert (ours["gross_minor"], ours["base_minor"], ours["tax_minor"]) == (200_000, 100_000, 100)
    assert (other["engine"], other["base_minor"], other["tax_minor"]) == ("194o", 160_000, 160)
    assert (more["engine"], more["tax_minor"], more["net_minor"]) == ("difference", 60, -60)
    assert query(paid.database, "SELECT * FROM payouts ORDER BY id") == before
    assert paid("tax", "compare", "some_other").code == 2


def test_show_and_why_say_what_was_kept_back_of_a_payout(paid: Line) -> None:
    row = paid("payouts", "show", "z-2", "--json").json
    assert (row["amount_minor"], row["net_minor"], row["tds_minor"]) == (80_000, 79_900, 100)
    assert (row["source"], row["tds_engine"], row["tds_rate_bps"]) == ("earnings", "194o_gross", 10)
    said = paid("why", "payout", "z-2").out
    assert "1.00 INR of tax withheld (10 basis points of 1000.00, " in said
    assert "799.00 is what is sent" in said


def test_the_policy_is_set_by_name_and_another_name_is_refused(bursar: Line) -> None:
    bursar.set("BURSAR_TDS_ENGINE", "legacy")
    assert bursar("tax", "compare", "194o", "--json").json[0]["engine"] == "legacy"
    bursar.set("BURSAR_TDS_CROSSING", "sometimes")
    said = bursar("tax", "compare", "194o")
    assert (said.code, "BURSAR_TDS_CROSSING" in said.err) == (2, True)
    assert "'excess_only', 'whole_payout' or 'catch_up'" in said.err
