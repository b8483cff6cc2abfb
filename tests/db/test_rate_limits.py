"""A provider's rate limit: exact with any number of takers, and nothing is lost by giving back."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from db import rate_limits
from db.engine import Database
from tests.builders import rows, worker

NAME = "razorpayx:1"


@pytest.fixture(params=[("none", 16), ("transaction", 16)], ids=["direct", "pooled"])
def database(request: pytest.FixtureRequest, database_url: str) -> Iterator[Database]:
    """A worker's database with a limit of 100/s, ten at once."""
    pooler, pool_max = request.param
    with worker(database_url, pooler=pooler, pool_max=pool_max) as made:
        with made.begin() as tx:
            rate_limits.configure(tx, NAME, 100)
        yield made


def take(database: Database, wanted: int) -> rate_limits.Grant:
    with database.begin() as tx:
        return rate_limits.take(tx, NAME, wanted)


def slow_down(database: Database, rate: float) -> None:
    """So slow that what refills during a test does not count."""
    rows(database, "UPDATE rate_limits SET rate_per_second = :rate RETURNING name", rate=rate)


def test_a_burst_is_granted_and_then_nothing(database: Database) -> None:
    """F59: the bucket holds ten."""
    slow_down(database, 0.001)
    assert take(database, 4).permits == 4
    assert take(database, 10).permits == 6
    refused = take(database, 1)
    assert refused.permits == 0
    assert refused.wait_seconds > 0


def test_sixteen_takers_together_get_no_more_than_the_burst(database: Database) -> None:
    """F59: shared by every process through one row."""
    slow_down(database, 0.001)
    barrier = threading.Barrier(16)

    def ask(_: int) -> int:
        barrier.wait()
        return take(database, 3).permits

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(ask, range(16))) == 10


@pytest.mark.parametrize("is_cut", [False, True])
def test_what_is_given_back_can_be_taken_again(database: Database, *, is_cut: bool) -> None:
    slow_down(database, 0.001)
    if is_cut:
        rows(
            database,
            "UPDATE rate_limits SET cut_until = clock_timestamp() + interval '1 h' RETURNING name",
        )
    assert take(database, 10).permits == 10
    with database.begin() as tx:
        rate_limits.give_back(tx, NAME, 7)
    assert take(database, 10).permits == 7


def test_after_a_429_nothing_is_granted_for_as_long_as_was_asked(database: Database) -> None:
    with database.begin() as tx:
        rate_limits.cut(tx, NAME, 30)
        rate_limits.cut(tx, NAME, 5)  # a shorter wish later takes nothing back
    refused = take(database, 1)
    assert refused.permits == 0
    assert 25 < refused.wait_seconds <= 30


def test_a_name_without_a_limit_grants_all(database: Database) -> None:
    with database.begin() as tx:
        rate_limits.lift(tx, NAME)
    assert take(database, 5000).permits == 5000
