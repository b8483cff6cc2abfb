"""`bursar payouts advice`, `bursar payees …`: papers of real books, and what is refused."""

import csv
import io
import json

import pytest

from tests.builders import owner
from tests.earned import COMPANY, paid_and_given_back
from tests.fakes.bank import FakeBank
from tests.operating import opened, query
from tests.workers.cli.conftest import Line

SPAN = ("--from", "2020-01-01", "--to", "2100-01-01")


@pytest.fixture
def paid(bursar: Line, database_url: str) -> Line:
    """A company whose two payouts were paid, one of them given back since."""
    with opened(database_url, "bursar_worker") as worker:
        paid_and_given_back(bursar.database, worker, FakeBank())
    return bursar


def test_an_advice_is_one_object_whose_sums_are_the_books(paid: Line) -> None:
    told = paid("payouts", "advice", "z-2", "--json").json
    [amounts] = told["amounts"]
    assert (amounts["gross_minor"], amounts["tax_minor"], amounts["net_minor"]) == (
        80_000,
        100,
        79_900,
    )
    assert told["totals"]["earnings"][0]["paid_minor"] == amounts["gross_minor"]
    assert (told["payee"], told["state"], told["meaning"]) == (COMPANY.name, "COMPLETED", "paid")
    assert told["utr"]
    assert paid("payouts", "advice", told["id"], "--format", "json").json == told
    assert "came back" in paid("payouts", "advice", "z-1").out


def test_a_statement_closes_with_the_ledger_s_balances(paid: Line) -> None:
    told = paid("payees", "statement", COMPANY.name, *SPAN, "--json").json
    closing = {row["line"]: row["amount_minor"] for row in told["balances"]}
    [payee] = query(paid.database, "SELECT id FROM payees WHERE name = :name", name=COMPANY.name)
    accounts = paid("ledger", "accounts", "--owner", str(payee.id), "--json").json
    held = {row["kind"]: row["balance_minor"] for row in accounts}
    assert closing["of it owed to the payee"] == held["payee_payable"] == 80_000
    assert (
        closing["opening balance"] + told["totals"]["movements"][0]["change_minor"]
        == closing["closing balance"]
    )
    assert told["totals"]["payments"][0]["net_minor"] == 2 * 79_900
    assert paid("payees", "statement", str(payee.id), *SPAN, "--json").json == told


def test_papers_go_into_files(paid: Line) -> None:
    page, sheet = paid.folder / "advice.html", paid.folder / "statement.csv"
    said = paid("payouts", "advice", "z-2", "--format", "html", "--out", str(page))
    assert (said.code, said.out) == (0, "")
    assert page.read_text().startswith("<!DOCTYPE html>")
    words = ("payees", "statement", COMPANY.name, *SPAN, "--format", "csv", "--out", str(sheet))
    assert paid(*words).code == 0
    rows = list(csv.DictReader(io.StringIO(sheet.read_text())))
    assert [row["amount"] for row in rows if row["line"] == "closing balance"] == ["800.00"]


def test_payees_are_listed_and_shown_with_what_is_owed(paid: Line) -> None:
    [row] = paid("payees", "list", "--json").json
    assert (row["name"], row["owed_minor"], row["owing_minor"], row["currency"]) == (
        COMPANY.name,
        80_000,
        0,
        "INR",
    )
    assert paid("payees", "list", "--after", COMPANY.name, "--json").json == []
    shown = json.loads(paid("payees", "show", COMPANY.name, "--json").out)
    assert shown["balances"] == [{"currency": "INR", "owed_minor": 80_000, "owing_minor": 0}]
    assert shown["accounts"][0]["fund_account_id"] == row["fund_account_id"]
    assert "800.00 INR" in paid("payees", "show", COMPANY.name).out


NOBODY = "payee: 'none': must be the name or the id of a payee"
STATEMENT = ("payees", "statement", COMPANY.name)
ADVICE = ("payouts", "advice", "z-2")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("payouts", "advice", "none"), "payout: 'none': must be the id or the external id"),
        (("payees", "show", "none"), NOBODY),
        (("payees", "statement", "none", *SPAN), NOBODY),
        (
            (*STATEMENT, "--from", "2026-02-01", "--to", "2026-02-01"),
            "--from: '2026-02-01 00:00': must be before --to",
        ),
        ((*STATEMENT, "--from", "2026-02-30", "--to", "2026-03-01"), "--from"),
        ((*ADVICE, "--format", "pdf"), "--format"),
        ((*ADVICE, "--json", "--format", "csv"), "--format: 'csv': must be json"),
        ((*ADVICE, "--out", "/nowhere/x.html"), "--out: '/nowhere/x.html': cannot be written"),
    ],
)
def test_what_is_wrong_is_named_with_its_rule(
    paid: Line, words: tuple[str, ...], said: str
) -> None:
    ended = paid(*words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_nobody_is_told_what_the_books_do_not_say(paid: Line, database_url: str) -> None:
    with owner(database_url) as outside:
        query(
            outside,
            "UPDATE payouts SET tds_deducted = 99, net_amount = 79901 WHERE external_id = 'z-2' RETURNING id",
        )
        query(
            outside,
            "UPDATE balances SET credits = credits + 1 WHERE account = (SELECT payable FROM payees) RETURNING account",
        )
    for words in (("payouts", "advice", "z-2"), ("payees", "statement", COMPANY.name, *SPAN)):
        ended = paid(*words)
        assert (ended.code, ended.out) == (1, "")
        assert "an invariant fell" in ended.err
