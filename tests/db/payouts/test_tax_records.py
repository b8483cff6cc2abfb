"""A record for each payout that was paid, one below zero for each that was given back, and books that owe as much."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from db import clock
from db.engine import Database
from db.errors import RuleBrokenError
from db.payouts import sums, tax_records
from db.payouts.details import read
from db.payouts.tax_records import Ended
from db.transitions import move, seize
from domain.payout_ids import reference
from domain.payouts import PAYOUTS, PayoutState
from tests.builders import assert_sound, hurry, payout
from tests.driving import drive, follow, process
from tests.earned import COMPANY, PERSON, Who, earned
from tests.fakes.bank import FakeBank
from tests.operating import query

MARCH = datetime(2027, 3, 31, 18, 29, 59, 999_000, tzinfo=UTC)
APRIL = datetime(2027, 3, 31, 18, 30, tzinfo=UTC)


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """Let whoever reads the clock read this."""
    monkeypatch.setattr(clock, "now", lambda _tx: moment)


def sent(operator: Database, worker: Database, bank: FakeBank, payee: Who = COMPANY) -> UUID:
    """A payout that was sent, and accepted."""
    id_ = earned(operator, "A", gross=100_000, payee=payee)
    drive(worker, process(bank))
    return id_


def heard(worker: Database, bank: FakeBank, id_: UUID, *statuses: str) -> None:
    """The bank says what became of it, and we ask, once for each."""
    for status in statuses:
        bank.settle(reference(id_, payout(worker, id_).generation), status)
        hurry(worker)
        drive(worker, follow(bank))


def records(database: Database) -> list[tuple[Any, ...]]:
    """Year, quarter, gross, base, tax of each, in the order they were made."""
    rows = query(
        database,
        "SELECT financial_year, quarter, gross, base, tax FROM tax_records ORDER BY id",
    )
    return [tuple(row) for row in rows]


def owed(database: Database) -> dict[str, int]:
    """The system's balances, credits less debits."""
    rows = query(
        database,
        """SELECT a.kind, CAST(sum(b.credits - b.debits) AS bigint) AS balance
           FROM accounts a JOIN balances b ON b.account = a.id GROUP BY a.kind""",
    )
    return {row.kind: row.balance for row in rows}


def test_a_paid_payout_is_recorded_once_and_its_tax_is_owed(
    operator: Database, worker: Database
) -> None:
    """Invariant 42; two legs: what was sent out of cash, what was kept back to the state."""
    bank = FakeBank()
    id_ = sent(operator, worker, bank)
    assert records(worker) == []
    heard(worker, bank, id_, "processed", "processed")
    [(_, _, *amounts)] = records(worker)
    assert amounts == [100_000, 100_000, 100]
    books = owed(worker)
    assert (books["cash"], books["tds_payable"]) == (79_900, 100)
    assert (books["payouts_in_transit"], books["payee_payable"]) == (0, 0)
    assert_sound(worker)


def test_only_what_is_paid_or_in_flight_sums_up_to_tax(
    operator: Database, worker: Database
) -> None:
    bank = FakeBank()
    id_ = sent(operator, worker, bank)
    for status, tax in (("processed", 100), ("reversed", 0)):
        heard(worker, bank, id_, status)
        with worker.begin() as tx:
            [row] = sums.by_state(
                tx, datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
            )
        assert (row.amount_minor, row.tax_minor) == (80_000, tax)


def test_an_exempt_payout_is_recorded_too_with_nothing_owed(
    operator: Database, worker: Database
) -> None:
    bank = FakeBank()
    id_ = sent(operator, worker, bank, payee=PERSON)
    heard(worker, bank, id_, "processed")
    assert [one[2:] for one in records(worker)] == [(100_000, 0, 0)]
    assert "tds_payable" not in owed(worker)
    assert_sound(worker)


@pytest.mark.parametrize("words", [("processed", "reversed"), ("reversed",)], ids="-".join)
def test_a_reversal_is_the_exact_inverse_and_happens_once(
    operator: Database, worker: Database, words: tuple[str, ...]
) -> None:
    """Invariants 26 and 42: the tax is given back once, whether or not anybody heard that it was paid."""
    bank = FakeBank()
    id_ = sent(operator, worker, bank)
    heard(worker, bank, id_, *words)
    heard(worker, bank, id_, "reversed")
    assert payout(worker, id_).state == "REVERSED"
    assert [one[2:] for one in records(worker)] == [
        (100_000, 100_000, 100),
        (-100_000, -100_000, -100),
    ]
    books = owed(worker)
    assert (books["cash"], books["tds_payable"], books["payee_payable"]) == (0, 0, 80_000)
    assert [tuple(row) for row in query(worker, "SELECT gross, tax FROM tax_years")] == [(0, 0)]
    assert_sound(worker)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_what_ends_unpaid_is_recorded_nowhere_and_counts_in_no_year(
    operator: Database, worker: Database, status: str
) -> None:
    """Invariant 42."""
    bank = FakeBank()
    id_ = sent(operator, worker, bank)
    heard(worker, bank, id_, status)
    assert (payout(worker, id_).state in {"FAILED", "CANCELLED"}, records(worker)) == (True, [])
    assert [tuple(row) for row in query(worker, "SELECT gross, tax FROM tax_years")] == [(0, 0)]
    assert owed(worker)["payee_payable"] == 80_000
    assert_sound(worker)


def test_a_record_is_dated_when_it_was_paid_and_its_tax_year_with_it(
    operator: Database, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 41: claimed in the last millisecond of a year in India, paid in the first of the next."""
    bank = FakeBank()
    at(monkeypatch, MARCH)
    id_ = sent(operator, worker, bank)
    assert payout(worker, id_).tds_financial_year == "2026-27"
    at(monkeypatch, APRIL)
    heard(worker, bank, id_, "processed")
    assert records(worker) == [("2027-28", "Q1", 100_000, 100_000, 100)]
    rows = query(worker, "SELECT financial_year, gross FROM tax_years ORDER BY financial_year")
    assert [tuple(row) for row in rows] == [("2026-27", 0), ("2027-28", 100_000)]
    assert_sound(worker)


def test_what_is_in_flight_at_the_turn_of_the_year_uses_the_exemption_of_the_new_one(
    operator: Database, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 39: what is claimed in March and paid in April counts in April for whatever is claimed there."""
    bank = FakeBank()
    at(monkeypatch, MARCH)
    old = earned(operator, "A", gross=49_900_000)
    drive(worker, process(bank))
    at(monkeypatch, APRIL)
    new = earned(operator, "B", gross=200_000)
    drive(worker, process(bank))
    assert payout(worker, new).tds_base == 100_000
    heard(worker, bank, old, "processed")
    heard(worker, bank, new, "processed")
    assert records(worker) == [
        ("2027-28", "Q1", 49_900_000, 0, 0),
        ("2027-28", "Q1", 200_000, 100_000, 100),
    ]
    rows = query(worker, "SELECT gross, open_gross FROM tax_years ORDER BY financial_year")
    assert [tuple(row) for row in rows] == [(0, 0), (50_100_000, 0)]
    assert_sound(worker)


def test_what_was_paid_in_its_own_year_uses_no_exemption_of_the_next(
    operator: Database, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor what failed in it."""
    bank = FakeBank()
    at(monkeypatch, MARCH)
    for name, word in (("A", "processed"), ("B", "failed")):
        id_ = earned(operator, name, gross=49_900_000)
        drive(worker, process(bank))
        heard(worker, bank, id_, word)
    at(monkeypatch, APRIL)
    new = earned(operator, "C", gross=49_900_000)
    drive(worker, process(bank))
    assert payout(worker, new).tds_base == 0
    rows = query(
        worker, "SELECT gross, open_gross, open_share, open_base FROM tax_years ORDER BY 1, 2"
    )
    assert [tuple(row) for row in rows] == [
        (49_900_000, 0, 0, 0),
        (49_900_000, 49_900_000, 39_920_000, 0),
    ]
    assert_sound(worker)


def test_what_is_given_back_after_its_quarter_is_dated_then_and_leaves_its_own_year(
    operator: Database, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The return of a quarter that is over may be filed: its records are left as they are."""
    bank = FakeBank()
    at(monkeypatch, MARCH)
    id_ = sent(operator, worker, bank)
    heard(worker, bank, id_, "processed")
    at(monkeypatch, APRIL)
    heard(worker, bank, id_, "reversed")
    assert [one[:2] for one in records(worker)] == [("2026-27", "Q4"), ("2027-28", "Q1")]
    rows = query(worker, "SELECT financial_year, gross FROM tax_years")
    assert [tuple(row) for row in rows] == [("2026-27", 0)]
    assert_sound(worker)


def test_paid_and_given_back_in_one_breath_at_the_turn_of_the_year(
    operator: Database, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, MARCH)
    id_ = sent(operator, worker, FakeBank())
    at(monkeypatch, APRIL)
    path = (PayoutState.PROCESSING, PayoutState.COMPLETED, PayoutState.REVERSED)
    with worker.begin() as tx:
        leased = seize(tx, [id_], run=None, actor="test", leased_too=True)
        [row] = read(leased, [id_])
        for source, target in pairwise(path):
            move(leased, PAYOUTS, [id_], source=source, target=target)
        tax_records.keep(leased, [Ended(row, s, t) for s, t in pairwise(path)])
    assert [one[:2] for one in records(worker)] == [("2027-28", "Q1")] * 2
    rows = query(worker, "SELECT gross, share, base, tax FROM tax_years")
    assert {tuple(row) for row in rows} == {(0, 0, 0, 0)}


def test_paid_after_it_failed_it_counts_and_is_recorded_as_it_was_sent(
    operator: Database, worker: Database
) -> None:
    """Invariant 28: what a failed payout was sent with is still known."""
    bank = FakeBank()
    id_ = sent(operator, worker, bank)
    heard(worker, bank, id_, "failed")
    with worker.begin() as tx:
        leased = seize(tx, [id_], run=None, actor="test", leased_too=True)
        [row] = read(leased, [id_])
        tax_records.keep(leased, [Ended(row, PayoutState.FAILED, PayoutState.COMPLETED)])
    assert (row.net, row.withheld) == (79_900, 100)
    assert [one[2:] for one in records(worker)] == [(100_000, 100_000, 100)]
    assert [row.gross for row in query(worker, "SELECT gross FROM tax_years")] == [100_000]


def test_no_part_of_a_record_is_given_back_beyond_what_is_left_of_it(
    operator: Database, worker: Database
) -> None:
    bank = FakeBank()
    id_ = sent(operator, worker, bank)
    heard(worker, bank, id_, "processed")
    part = """
        INSERT INTO tax_records (payout, generation, payee, currency, financial_year, quarter, section, code, engine,
                                 rate_bps, gross, share, base, tax, is_reversal, recorded_at)
        SELECT payout, generation, payee, currency, financial_year, quarter, section, code, engine, rate_bps,
               -60000, -48000, -60000, -60, true, recorded_at FROM tax_records WHERE NOT is_reversal"""
    query(worker, part + " RETURNING id")
    with pytest.raises(RuleBrokenError, match="more tax would be given back than was withheld"):
        query(worker, part + " RETURNING id")
