"""Advices and statements from real books: whatever became of payouts, their sums are those of the ledger."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from db.earnings import deciding
from db.engine import Database
from db.payees import listing, statement as books
from db.payouts import advice as papers
from domain.payee_statements import CurrencyStatement, PayeeStatement
from domain.payout_ids import reference
from domain.remittance import Advice
from tests.driving import drive, every_state, follow, hasten, process
from tests.earned import COMPANY, earned, paid_and_given_back
from tests.fakes.bank import FakeBank
from tests.operating import opened, query

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
HELD = """
    SELECT CAST(coalesce(sum(b.credits - b.debits) FILTER (WHERE a.kind = 'payee_payable'), 0) AS bigint) AS owed,
           CAST(coalesce(sum(b.debits - b.credits) FILTER (WHERE a.kind = 'payee_receivable'), 0) AS bigint) AS owing
    FROM accounts a JOIN balances b ON b.account = a.id
    JOIN payees p ON CAST(p.id AS text) = a.owner WHERE p.name = :name"""
OF_KIND = """
    SELECT CAST(sum(b.credits - b.debits) AS bigint) AS s
    FROM accounts a JOIN balances b ON b.account = a.id WHERE a.kind = :kind"""


@pytest.fixture
def operator(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


@pytest.fixture
def worker(database_url: str) -> Iterator[Database]:
    with opened(database_url, "bursar_worker") as database:
        yield database


def told(
    database: Database, name: str, start: datetime = LONG_AGO, end: datetime = FAR
) -> PayeeStatement:
    with database.begin() as tx:
        payee, found = listing.find(tx, name)
        made = books.statement(tx, payee, found, start=start, end=end)
    for one in made.currencies:
        one.check()
    return made


def rupees(
    database: Database, name: str, start: datetime = LONG_AGO, end: datetime = FAR
) -> CurrencyStatement:
    [one] = told(database, name, start, end).currencies
    return one


def advices(database: Database) -> list[Advice]:
    payouts = query(database, "SELECT id FROM payouts ORDER BY external_id")
    with database.begin() as tx:
        made = [papers.advice(tx, row.id) for row in payouts]
    for one in made:
        one.check()
    return made


def refund(database: Database, earning: str, total: int | None) -> None:
    [row] = query(database, "SELECT id FROM earnings WHERE external_id = :name", name=earning)
    with database.begin() as tx:
        [done] = deciding.reduce(tx, {row.id: total}, actor="asha", why="asked back")
    assert done.outcome == "moved"


def test_every_payee_s_closing_balance_is_the_ledger_s_whatever_became_of_the_payouts(
    operator: Database, worker: Database
) -> None:
    every_state(operator, worker, FakeBank())
    for row in query(operator, "SELECT name FROM payees ORDER BY name"):
        one, [held] = rupees(operator, row.name), query(operator, HELD, name=row.name)
        assert (one.closing.owed_minor, one.closing.owing_minor) == (held.owed, held.owing)
        assert one.opening.net_minor == 0
        assert one.movements[-1].balance_minor == one.closing.net_minor
    advices(operator)


def test_the_closing_balance_of_one_time_opens_the_next(
    operator: Database, worker: Database
) -> None:
    paid_and_given_back(operator, worker, FakeBank())
    whole = rupees(operator, COMPANY.name)
    for at in [m.at for m in whole.movements]:
        before = rupees(operator, COMPANY.name, LONG_AGO, at)
        after = rupees(operator, COMPANY.name, at, FAR)
        assert before.closing == after.opening
        assert [*before.movements, *after.movements] == whole.movements
        assert len(before.payments) + len(after.payments) == len(whole.payments) == 2
    assert rupees(operator, COMPANY.name, FAR, FAR + timedelta(days=1)).movements == []


def test_what_advices_say_was_paid_and_withheld_is_in_the_books(
    operator: Database, worker: Database
) -> None:
    """Invariant 38: gross is net and tax, of each payout and of all of them."""
    paid_and_given_back(operator, worker, FakeBank())
    back, kept = advices(operator)
    assert (back.gross_minor, back.tax_minor, back.net_minor) == (80_000, 100, 79_900)
    assert (back.posted.returned_minor, back.posted.returned_tax_minor) == (79_900, 100)
    assert back.posted.returned_at is not None
    assert kept.posted.returned_at is None
    [cash] = query(operator, OF_KIND, kind="cash")
    [tax] = query(operator, OF_KIND, kind="tds_payable")
    assert (cash.s, tax.s) == (kept.net_minor, kept.tax_minor)
    [first, second] = rupees(operator, COMPANY.name).payments
    assert (first.gross_minor, first.tax_minor, first.net_minor) == (80_000, 100, 79_900)
    assert {first.state, second.state} == {"COMPLETED", "REVERSED"}


def test_what_is_given_back_after_the_payment_is_clawed_back_and_the_advice_stands(
    operator: Database, worker: Database
) -> None:
    bank = FakeBank()
    earned(operator, "before", gross=100_000, payee=COMPANY)
    drive(worker, process(bank))
    bank.finish()
    hasten(worker)
    drive(worker, follow(bank))
    [first] = advices(operator)
    refund(operator, "E-before-1", 30_000)
    [second] = advices(operator)
    assert (first.clawed_back_minor, second.clawed_back_minor) == (0, 30_000)
    assert second.gross_minor == first.gross_minor
    [line] = second.lines
    assert (line.refunded_minor, line.refunded_since_minor, line.paid_minor) == (0, 30_000, 80_000)
    one = rupees(operator, COMPANY.name)
    assert (one.closing.owing_minor, one.clawed_back_minor()) == (30_000, 30_000)


def test_what_came_back_is_recovered_and_what_is_given_back_after_is_no_claw(
    operator: Database, worker: Database
) -> None:
    bank = FakeBank()
    payout = earned(operator, "back", gross=100_000, payee=COMPANY)
    drive(worker, process(bank))
    bank.finish()
    hasten(worker)
    drive(worker, follow(bank))
    refund(operator, "E-back-1", 30_000)
    bank.settle(reference(payout, 1), "reversed")
    hasten(worker)
    drive(worker, follow(bank))
    refund(operator, "E-back-1", 40_000)
    [told_] = advices(operator)
    assert (told_.clawed_back_minor, told_.posted.settled_minor) == (30_000, 30_000)
    [line] = told_.lines
    assert (line.paid_minor, line.refunded_since_minor) == (80_000, 40_000)
    one = rupees(operator, COMPANY.name)
    assert (one.closing.owing_minor, one.recovered_minor()) == (0, 30_000)
    assert one.closing.owed_minor == 40_000


def test_of_what_is_not_sent_yet_the_net_is_not_known(operator: Database) -> None:
    earned(operator, "waits", gross=100_000, payee=COMPANY)
    [one] = advices(operator)
    assert (one.net_minor, one.gross_minor, one.posted.is_paid) == (None, 80_000, False)
    [line] = one.lines
    assert (line.earning, line.sale_minor, line.paid_minor) == ("E-waits-1", 100_000, 80_000)


def test_a_payee_is_paid_in_its_currencies_apart(operator: Database) -> None:
    earned(operator, "rupees", gross=100_000, payee=COMPANY)
    earned(operator, "yen", gross=1_000, payee=COMPANY, currency="JPY")
    inr, jpy = told(operator, COMPANY.name).currencies
    assert (inr.currency, inr.closing.owed_minor) == ("INR", 80_000)
    assert (jpy.currency, jpy.closing.owed_minor) == ("JPY", 800)
