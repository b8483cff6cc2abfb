"""The books are sealed behind whoever posts: once, in order, and never past one who is still at it."""

from collections.abc import Iterator
from typing import Any

import pytest

from db import audit, ledger, seals
from db.engine import Database
from domain.ledger import EntryType
from jobs.upkeep.seal import LOOKS_MAX, SealBooks
from tests.db.books import Books
from tests.kit.world import Scene
from tests.operating import opened, query
from tests.sealing import sealed


@pytest.fixture
def worker(database_url: str) -> Iterator[Database]:
    with opened(database_url, "bursar_worker") as database:
        yield database


def posted(books: Books, *keys: str) -> None:
    """An entry under each key, in a transaction of its own."""
    for key in keys:
        books.post(books.entry(key, EntryType.WALLET_CREDITED, 10))


def test_what_is_committed_is_sealed_once_and_the_seals_are_a_chain(
    worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "SEAL_MAX", 2)
    books = Books(worker)
    posted(books, *"abcde")
    assert sealed(worker) == 5
    assert sealed(worker) == 0
    posted(books, "f")
    assert sealed(worker) == 1
    found = query(
        worker, "SELECT number, after_entry, last_entry, entries FROM ledger_seals ORDER BY number"
    )
    assert [row.entries for row in found] == [2, 2, 1, 1]
    assert [row.after_entry for row in found] == [0, *(row.last_entry for row in found[:-1])]


def test_nothing_is_sealed_past_one_who_is_still_posting(worker: Database) -> None:
    """Whoever took lower ids and is not done yet would be missing from a seal for ever."""
    books = Books(worker)
    with worker.begin() as slow:
        entry = books.entry("slow", EntryType.WALLET_CREDITED, 10)
        ledger.post(slow, [entry], run=None, actor="test")
        with worker.begin() as tx:
            credits_ = books.entry("quick", EntryType.CREDIT_GRANTED, 10)
            ledger.post(tx, [credits_], run=1, actor="test")
        assert sealed(worker) == 0
        assert query(worker, "SELECT FROM ledger_seals") == []
    assert sealed(worker) == 2


def test_a_run_looks_a_bounded_number_of_times(worker: Database) -> None:
    books = Books(worker)
    with worker.begin() as slow:
        entry = books.entry("slow", EntryType.WALLET_CREDITED, 10)
        ledger.post(slow, [entry], run=None, actor="test")
        cursor: Any = {}
        pages = 0
        while cursor is not None:
            with worker.begin() as tx:
                cursor = SealBooks().page(tx, cursor, run=1).cursor
            pages += 1
    assert pages == LOOKS_MAX + 1


def test_the_job_seals_and_the_audit_finds_the_chain_whole(world: Scene) -> None:
    books = Books(world.database)
    posted(books, "a", "b")
    assert world.run(SealBooks.name).tally["succeeded"] == 2
    assert_sealed(world)


def assert_sealed(world: Scene) -> None:
    """The audit hashes every sealed entry again."""
    invariant = [one for one in audit.INVARIANTS if one.name == "seals-fit-their-entries"]
    [result] = audit.run(world.owner, invariants=invariant)
    assert (result.looked_at, result.found) == (1, 0)
