"""Imports: each external id once, balanced, sealed, all or nothing."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from db import books, installation
from db.engine import Database
from db.payouts.imports import Lines, look, take_over
from domain.effects import effect_key
from domain.errors import BadInputsError
from domain.payout_ids import payout_id
from domain.payouts import SUBMIT
from tests.operating import claimed, line, opened, query, samples, take

TABLES = (
    "payees",
    "payout_accounts",
    "payouts",
    "work",
    "moves",
    "entries",
    "postings",
    "accounts",
)


def counts(database: Database) -> dict[str, int]:
    return {table: query(database, f"SELECT count(*) AS n FROM {table}")[0].n for table in TABLES}  # noqa: S608 - this list


def drift(database: Database) -> int:
    """Accounts whose kept balance is not the sum of their postings."""
    return int(
        query(
            database,
            """
            SELECT count(*) AS n FROM (
              SELECT account, sum(debits) AS debits, sum(credits) AS credits FROM balances GROUP BY account) b
            WHERE debits <> (SELECT coalesce(sum(amount), 0) FROM postings WHERE debit = account)
               OR credits <> (SELECT coalesce(sum(amount), 0) FROM postings WHERE credit = account)""",
        )[0].n
    )


def test_an_import_makes_pending_payouts_that_nothing_waits_for(operator: Database) -> None:
    lines = samples(300)
    done = take(operator, lines)
    assert (done.created, done.existing, done.approved) == (300, 0, 0)
    assert done.amounts == {"INR": sum(a.amount_minor for a in lines)}
    statement = "SELECT DISTINCT state, effect_key, approval_seal FROM payouts"
    assert query(operator, statement) == [("PENDING", None, None)]
    assert counts(operator)["work"] == 0


def test_approved_payouts_are_sealed_and_wait_for_process(
    operator: Database, worker: Database
) -> None:
    """F: amount, beneficiary and key are sealed at approval, by the one rule that claims check."""
    take(operator, samples(300), approve=True)
    unsealed = """SELECT count(*) AS n FROM payouts p
                  WHERE state <> 'APPROVED' OR approval_seal IS DISTINCT FROM payout_seal(p, 1, effect_key)
                     OR effect_key IS DISTINCT FROM effect_key('payout.submit', id, 1)"""
    assert query(operator, unsealed)[0].n == 0
    assert query(operator, "SELECT job, count(*) AS n FROM work GROUP BY job") == [
        ("payouts.process", 300)
    ]
    assert query(operator, "SELECT DISTINCT source, target, actor FROM moves") == [
        ("PENDING", "APPROVED", "asha")
    ]
    assert claimed(worker, limit=500) == 300


def test_ids_and_keys_come_from_the_installation_and_the_external_id(operator: Database) -> None:
    """A database restored to before the import makes the same payouts and keys again."""
    take(operator, [line("A-1")], approve=True)
    with operator.begin() as tx:
        own = installation.get(tx).id
    row = query(operator, "SELECT id, effect_key FROM payouts")[0]
    assert row.id == payout_id(own, "A-1")
    assert row.effect_key == effect_key(own, SUBMIT, row.id, 1)


def test_the_books_take_over_what_is_owed(operator: Database) -> None:
    """Invariant 44, 46: debits equal credits; kept balances equal their postings."""
    lines = samples(6_000)
    take(operator, lines)
    owed = query(
        operator,
        """SELECT a.kind, sum(b.debits) AS debits, sum(b.credits) AS credits FROM balances b
           JOIN accounts a ON a.id = b.account GROUP BY a.kind ORDER BY a.kind""",
    )
    whole = sum(a.amount_minor for a in lines)
    assert {(r.kind, r.debits, r.credits) for r in owed if r.debits or r.credits} == {
        ("imported_liability", whole, 0),
        ("payee_payable", 0, whole),
    }
    assert drift(operator) == 0
    totals = query(
        operator,
        "SELECT type, sum(entries) AS n, sum(amount) AS amount FROM ledger_totals GROUP BY type",
    )
    assert totals == [("payout.imported", 6_000, whole)]
    assert query(operator, "SELECT count(DISTINCT id) AS n FROM entries")[0].n == 6_000


def test_the_same_lines_twice_create_nothing_new(operator: Database) -> None:
    lines = samples(300)
    take(operator, lines, approve=True)
    before = counts(operator)
    done = take(operator, lines, approve=True)
    assert (done.created, done.existing, done.approved, done.amounts) == (0, 300, 0, {})
    assert counts(operator) == before
    assert drift(operator) == 0


def test_a_longer_file_adds_only_what_is_new(operator: Database) -> None:
    take(operator, samples(100))
    done = take(operator, samples(250))
    assert (done.created, done.existing) == (150, 100)
    assert drift(operator) == 0


def test_the_same_file_imported_twice_at_once_takes_effect_once(
    database_url: str, operator: Database
) -> None:
    """F: two operators import the same file in the same second."""
    lines = samples(2_000)
    outcomes: list[int] = []

    def run() -> None:
        with opened(database_url) as database:
            outcomes.append(take(database, lines, approve=True).created)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == [0, 0, 2_000]
    assert counts(operator)["work"] == 2_000
    assert drift(operator) == 0


def test_other_content_under_the_same_id_is_an_error_naming_row_and_field(
    operator: Database,
) -> None:
    take(operator, [line("A-1"), line("A-2")])
    changed = [line("A-0"), line("A-2", amount_minor=999_00, narration="Week 2")]
    with pytest.raises(BadInputsError) as caught:
        take(operator, changed)
    assert [(e.place, e.value) for e in caught.value.errors] == [
        ("payouts.csv row 2 field amount", "999.00"),
        ("payouts.csv row 2 field narration", "Week 2"),
    ]
    assert "1250.50" in str(caught.value)
    assert counts(operator)["payouts"] == 2


def test_another_beneficiary_under_the_same_id_is_an_error(operator: Database) -> None:
    take(operator, [line("A-1")])
    with pytest.raises(BadInputsError, match="field fund_account_id"):
        take(operator, [line("A-1", fund_account_id="fa_2")])
    assert counts(operator)["payout_accounts"] == 1


def test_partial_takes_over_the_rest(operator: Database) -> None:
    take(operator, [line("A-1")])
    done = take(operator, [line("A-1", amount_minor=1_00), line("A-2")], partial=True)
    assert (done.created, done.existing, len(done.errors)) == (1, 0, 1)
    assert query(operator, "SELECT amount FROM payouts WHERE external_id = 'A-1'") == [(125_050,)]


def test_approve_approves_what_an_earlier_import_left_pending(
    operator: Database, worker: Database
) -> None:
    lines = samples(50)
    take(operator, lines)
    done = take(operator, lines, approve=True)
    assert (done.created, done.existing, done.approved) == (0, 50, 50)
    assert claimed(worker) == 50


def test_approve_never_revives_what_was_rejected(operator: Database) -> None:
    take(operator, [line()])
    query(
        operator,
        "SELECT * FROM bursar_move('payout', ARRAY(SELECT id FROM payouts), 'CANCELLED', 'asha', 'wrong')",
    )
    assert take(operator, [line()], approve=True).approved == 0
    assert query(operator, "SELECT state FROM payouts") == [("CANCELLED",)]


def test_at_dates_the_work(operator: Database, worker: Database) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    take(operator, samples(10), approve=True, due_at=later)
    assert query(operator, "SELECT DISTINCT due_at FROM work") == [(later,)]
    assert claimed(worker) == 0


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(operator: Database) -> None:
    """Invariant 18: zero writes."""
    lines = samples(300)
    take(operator, lines[:100])
    before = counts(operator)
    with operator.begin() as tx:
        done = look(tx, installation.get(tx).id, Lines(lines=lines, approve=True))
    assert (done.created, done.existing, done.approved) == (200, 100, 300)
    assert counts(operator) == before
    with operator.begin() as tx, pytest.raises(BadInputsError):
        look(tx, installation.get(tx).id, Lines(lines=[replace(lines[0], narration="other")]))


def test_an_import_that_is_broken_off_leaves_nothing(operator: Database) -> None:
    """Invariant 50: rows, entries, balances and totals commit or roll back together."""

    def fail(done: int) -> None:
        raise RuntimeError(done)

    before = counts(operator)
    with pytest.raises(RuntimeError), operator.begin(60) as tx:
        take_over(
            tx, UUID(int=1), Lines(lines=samples(6_000), approve=True), actor="asha", told=fail
        )
    assert counts(operator) == before
    assert drift(operator) == 0


def test_a_worker_may_not_import(worker: Database) -> None:
    from db.errors import DatabaseRefusedError  # noqa: PLC0415 - named here alone

    with pytest.raises(DatabaseRefusedError):
        take(worker, [line()])


def test_one_payee_with_two_destinations_is_one_payee(operator: Database) -> None:
    take(operator, [line("A-1"), line("A-2", fund_account_id="fa_2")])
    assert (counts(operator)["payees"], counts(operator)["payout_accounts"]) == (1, 2)


def test_a_payee_is_owed_in_each_currency_by_itself(operator: Database) -> None:
    """Invariant 44: in one file as in two; no posting mixes currencies."""
    lines = [line("A-1"), line("A-2", currency="USD"), line("A-3", currency="JPY")]
    take(operator, [lines[0], lines[1]])
    take(operator, [*lines, line("A-4", currency="USD")])
    owed = query(
        operator,
        """SELECT a.currency, b.credits FROM accounts a JOIN balances b ON b.account = a.id
           WHERE a.kind = 'payee_payable' ORDER BY a.currency""",
    )
    amount = lines[0].amount_minor
    assert owed == [("INR", amount), ("JPY", amount), ("USD", 2 * amount)]
    assert counts(operator)["payees"] == 1
    with operator.begin() as tx:
        named = books.accounts(tx, books.AccountPage(kind="payee_payable"))
    assert {row.payee for row in named} == {"Asha Rao"}
    assert drift(operator) == 0
