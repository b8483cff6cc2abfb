"""What a rule of the books refuses is kept for the auditor, although nothing else of its transaction is."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from db import ledger, rejections
from db.engine import Database
from db.errors import LockedError, RuleBrokenError
from domain.errors import RefusedError
from domain.ledger import CAUSED, AccountKind, Entries, Entry, EntryType, Posting
from domain.ledger_rules import ENTRY_RULES
from tests.db.books import KINDS, Books
from tests.operating import opened, query


@pytest.fixture
def worker(database_url: str) -> Iterator[Database]:
    """This test's database, acting as a worker."""
    with opened(database_url, "bursar_worker") as database:
        yield database


@pytest.fixture
def books(worker: Database) -> Books:
    """Accounts with money to move."""
    made = Books(worker)
    made.post(made.entry("funds", EntryType.PAYOUT_IMPORTED, 100))
    leg = Posting(debit=made.id(KINDS.PAYEE_RECEIVABLE), credit=made.id(KINDS.CASH), amount=100)
    made.post(replace(made.entry("owed", EntryType.PAYOUT_PAID_LATE, 100), postings=(leg,)))
    made.post(made.entry("credits", EntryType.CREDIT_GRANTED, 100))
    leg = Posting(debit=made.id(KINDS.CHECKOUT_HOLDS), credit=made.id(KINDS.WALLET), amount=100)
    made.post(replace(made.entry("spent", EntryType.CHECKOUT_RELEASED, 100), postings=(leg,)))
    for (debit, credit), kind in FUNDED.items():
        one = between(made, f"{debit} {credit}", kind, debit, credit)
        made.post(replace(one, postings=(replace(one.postings[0], amount=200),)))
    return made


FUNDED = {
    (KINDS.TRUST_CASH, KINDS.CASH_CLEARING): EntryType.CASH_RECEIVED,
    (KINDS.TRUST_CASH, KINDS.UNAPPLIED_CASH): EntryType.CASH_RECEIVED,
    (KINDS.BORROWER_RECEIVABLE, KINDS.CONTROL_ACCRUAL): EntryType.OBLIGATION_ACCRUED,
    (KINDS.CONTROL_ALLOCATION, KINDS.LENDER_PAYABLE): EntryType.LENDER_PAYABLE_CREATED,
    (KINDS.CONTROL_ALLOCATION, KINDS.SERVICING_REVENUE): EntryType.SERVICING_FEE_RECOGNIZED,
    (KINDS.SUSPENSE, KINDS.TRUST_CASH): EntryType.SUSPENSE_ROUTED,
    (KINDS.BORROWER_RECEIVABLE, KINDS.CONTROL_SETTLEMENT): EntryType.OBLIGATION_ACCRUED,
    (KINDS.WRITE_OFF, KINDS.BORROWER_RECEIVABLE): EntryType.OBLIGATION_WRITTEN_OFF,
}
"""What brings money into accounts that may not fall below zero, so that it is the pair that is refused."""


def kept(database: Database) -> list[Any]:
    """What was refused, oldest first."""
    with database.begin() as tx:
        return list(reversed(rejections.listing(tx, type_=None, after=None, limit=10_000)))


def wrong_pairs() -> list[tuple[EntryType, AccountKind, AccountKind]]:
    """Every account that a type may not touch, on each side, the other side being right."""
    return [
        (kind, *pair)
        for kind, (debited, credited) in ENTRY_RULES.items()
        if kind not in CAUSED
        for wrong in KINDS
        for pair in (
            *((wrong, right) for right in sorted(credited)[:1] if wrong not in debited),
            *((right, wrong) for right in sorted(debited)[:1] if wrong not in credited),
        )
        if pair[0] is not pair[1]
    ]


def between(
    books: Books, key: str, kind: EntryType, debit: AccountKind, credit: AccountKind
) -> Entry:
    """An entry between two accounts, whether or not its type may touch them."""
    leg = Posting(debit=books.id(debit), credit=books.id(credit), amount=1)
    return replace(books.entry(key, kind, 1), postings=(leg,))


def test_no_type_touches_accounts_beyond_its_map_and_each_refusal_is_kept(
    worker: Database, books: Books
) -> None:
    """Invariant 51: every wrong pair is refused by the database, and kept by whoever tried it."""
    wrong = [between(books, f"wrong {number}", *pair) for number, pair in enumerate(wrong_pairs())]
    for entry in wrong:
        with pytest.raises(RuleBrokenError) as refused:
            books.post(entry, run=1)
        assert refused.value.constraint == "entries_keep_to_their_accounts"
    told = kept(worker)
    assert [row.key for row in told] == [entry.key for entry in wrong]
    assert len(wrong) > 50
    for row, entry in zip(told, wrong, strict=True):
        (leg,) = entry.postings
        assert (row.type, row.run, row.actor) == (entry.type, 1, "test")
        assert row.content == [{"debit": leg.debit, "credit": leg.credit, "amount": 1}]
        assert "may not debit" in row.reason
    assert query(worker, "SELECT FROM entries WHERE key LIKE 'wrong%'") == []


def test_of_a_set_the_one_that_is_wrong_is_kept_once_however_often_it_is_tried(
    worker: Database, books: Books
) -> None:
    """Invariant 51: its siblings are not accused; the next run that is refused says so again."""
    good = [books.entry(f"good {n}", EntryType.PAYOUT_SUBMITTED, 1) for n in range(3)]
    bad = between(books, "bad", EntryType.PAYOUT_SUBMITTED, KINDS.CASH, KINDS.TDS_PAYABLE)
    for run in (1, 1, 2):
        with pytest.raises(RuleBrokenError):
            books.post(*good, bad, run=run)
    assert [(row.key, row.run) for row in kept(worker)] == [("bad", 1), ("bad", 2)]


def test_a_set_of_new_entries_names_its_wrong_one_too(worker: Database, books: Books) -> None:
    """Invariant 51: the hot form, which goes as columns."""
    transit = books.id(KINDS.PAYOUTS_IN_TRANSIT)
    made = Entries(
        type=EntryType.PAYOUT_SUBMITTED,
        currency="INR",
        keys=["good", "bad"],
        debits=[books.id(KINDS.PAYEE_PAYABLE), books.id(KINDS.CASH)],
        credits=[transit, transit],
        amounts=[1, 2],
    )
    with pytest.raises(RuleBrokenError):
        worker.transact(lambda tx: ledger.post_new(tx, made, run=3, actor="run:3"))
    [row] = kept(worker)
    assert (row.key, row.run, row.actor) == ("bad", 3, "run:3")
    assert row.content == [{"debit": books.id(KINDS.CASH), "credit": transit, "amount": 2}]


def test_what_would_take_an_account_below_zero_is_kept(worker: Database, books: Books) -> None:
    """Invariant 51: of a set nobody is accused, since any of it may have been one too many."""
    over = [books.entry(f"over {n}", EntryType.PAYOUT_SUBMITTED, 101) for n in range(2)]
    with pytest.raises(RuleBrokenError):
        books.post(*over, run=1)
    assert kept(worker) == []
    with pytest.raises(RuleBrokenError, match="never_below_zero"):
        books.post(over[0], run=1)
    [row] = kept(worker)
    assert row.key == "over 0"
    assert "never_below_zero" in row.reason


def test_other_content_under_a_key_is_kept(worker: Database, books: Books) -> None:
    """Invariant 51: an operator has no run, and each of their tries is kept."""
    other = books.entry("funds", EntryType.PAYOUT_IMPORTED, 99)
    fresh = books.entry("fresh", EntryType.PAYOUT_IMPORTED, 1)
    for _ in range(2):
        with pytest.raises(RefusedError, match="other content"):
            books.post(fresh, other)
    assert [(row.key, row.run) for row in kept(worker)] == [("funds", None)] * 2


def test_what_a_lock_does_to_a_posting_is_no_refusal(
    worker: Database, books: Books, database_url: str
) -> None:
    """Invariant 51: errors of the servers leave no record."""
    held = "SELECT FROM bursar.balances FOR UPDATE"
    engine = sa.create_engine(database_url, poolclass=sa.pool.NullPool)
    with engine.begin() as other:
        other.exec_driver_sql(held)
        with pytest.raises(LockedError):
            books.post(books.entry("late", EntryType.PAYOUT_IMPORTED, 1), run=1)
    assert kept(worker) == []


def test_a_refusal_that_cannot_be_kept_does_not_hide_what_was_refused(
    worker: Database, books: Books
) -> None:
    """Invariant 51: the caller hears of its own error, with a note that no record was made."""
    entry = books.entry("no text \x00", EntryType.PAYOUT_SUBMITTED, 1)
    with pytest.raises(RuleBrokenError) as refused:
        books.post(entry, run=1)
    assert kept(worker) == []
    assert [note for note in refused.value.__notes__ if "written down" in note]
