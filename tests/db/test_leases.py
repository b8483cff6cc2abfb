"""Leases on names: one live holder, a greater token for each, and no break of a live one."""

from collections.abc import Iterator

import pytest

from db import leases
from db.engine import Database
from tests.builders import change, worker

NAME = "job:upkeep.audit"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with worker(database_url) as made:
        yield made


def acquire(database: Database, run: int) -> int | None:
    with database.begin() as tx:
        return leases.acquire(tx, NAME, run=run, worker="here", lease_seconds=15)


def test_a_live_lease_has_one_holder(database: Database) -> None:
    mine = acquire(database, 1)
    assert mine
    assert acquire(database, 2) is None
    with database.begin() as tx:
        assert leases.give_back(tx, NAME, mine)
    assert acquire(database, 2)


def test_an_expired_lease_is_taken_over_and_its_holder_fenced(database: Database) -> None:
    """F08, I8: the token in its hands is stale."""
    mine = acquire(database, 1)
    assert mine
    change(database, "UPDATE leases SET leased_until = clock_timestamp()")
    taken = acquire(database, 2)
    assert taken
    assert taken > mine
    with database.begin() as tx:
        assert not leases.check(tx, NAME, mine)
        assert not leases.give_back(tx, NAME, mine)
        assert leases.check(tx, NAME, taken)


def test_a_live_lease_is_seen_while_its_holder_locks_it(database: Database) -> None:
    """A page under way holds the row for seconds; whoever asks meanwhile is told at once."""
    mine = acquire(database, 1)
    assert mine
    with database.begin() as page:
        assert leases.check(page, NAME, mine)
        assert acquire(database, 2) is None


def test_only_an_expired_lease_is_broken(database: Database) -> None:
    acquire(database, 1)
    with database.begin() as tx:
        assert not leases.break_expired(tx, NAME)
    change(database, "UPDATE leases SET leased_until = clock_timestamp()")
    with database.begin() as tx:
        assert [lease.is_live for lease in leases.listing(tx)] == [False]
        assert leases.break_expired(tx, NAME)
