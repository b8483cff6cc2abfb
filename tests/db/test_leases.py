"""Leases on names: one live holder, a greater token for each, and no break of a live one."""

import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from db import leases, run_states, runs, work
from db.engine import Database
from db.work import ClaimOrder
from domain.runs import Origin
from jobs.catalog import Ports, build
from tests.builders import add_work, change, expire, rows, worker
from tests.fakes.bank import FakeBank

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


def test_the_same_run_may_ask_again_and_then_only_its_newest_token_counts(
    database: Database,
) -> None:
    """F16: the reply to its first acquisition was lost; its lease does not stand in its own way."""
    first, second = acquire(database, 1), acquire(database, 1)
    assert first
    assert second
    assert second > first
    assert acquire(database, 2) is None
    with database.begin() as tx:
        assert not leases.check(tx, NAME, first)
        assert leases.check(tx, NAME, second)


def test_an_expired_lease_is_taken_over_and_its_holder_fenced(database: Database) -> None:
    """F08, I8, invariant 77: the token in its hands is stale, and gives nobody else's back."""
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


@pytest.mark.parametrize("ahead", [600.0, -600.0])
def test_who_has_a_wrong_clock_takes_no_lease_that_lives_and_leaves_none_that_ended(
    database: Database, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    """F84: whether a lease lives is for the database's clock to say."""
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + ahead)
    assert acquire(database, 1)
    add_work(database, "payouts.process", 1)
    order = ClaimOrder(run=1, limit=1, lease_seconds=15)
    with database.begin() as tx:
        assert len(work.claim(tx, "payouts.process", order)) == 1
    assert acquire(database, 2) is None
    with database.begin() as tx:
        assert work.claim(tx, "payouts.process", order) == []
    change(database, "UPDATE leases SET leased_until = clock_timestamp()")
    expire(database)
    assert acquire(database, 2)
    with database.begin() as tx:
        assert len(work.claim(tx, "payouts.process", order)) == 1


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
        assert [lease.state for lease in leases.listing(tx)] == ["ended"]
        assert leases.break_expired(tx, NAME)


def running(database: Database, worker: str, items: int) -> tuple[int, set[int]]:
    """A run of payouts.process that `worker` holds, with so many items under one token."""
    known = [job.known() for job in build(Ports(bank=FakeBank())).values()]
    process = next(k for k in known if k.job == "payouts.process")
    add_work(database, process.job, items)
    request = runs.Request(job=process.job, queue=process.queue, version=1, origin=Origin.OPERATOR)
    with database.begin() as tx:
        [made] = runs.enqueue(tx, [request])
        started = runs.start(tx, made.id, known, worker=worker, lease_seconds=600)
        assert started
        held = work.claim(tx, process.job, ClaimOrder(run=made.id, limit=items, lease_seconds=600))
    assert len(held) == items
    return made.id, {h.token for h in held}


def test_what_the_dead_held_is_ready_at_once_and_what_others_hold_is_not(
    database: Database,
) -> None:
    """F02: the run is crashed by the next look, its items can be claimed, under a greater token."""
    theirs, tokens = running(database, "dead", 3)
    others, _ = running(database, "alive", 2)
    add_work(database, "payouts.process", 4, "clock_timestamp() + interval '1 minute'")
    with database.begin() as tx:
        assert sorted(leases.holders(tx)) == ["alive", "dead"]
        assert leases.lapse(tx, ["dead"], lease_seconds=600) == (1, 3)
        assert [crashed.run for crashed in run_states.mark_crashed(tx)] == [theirs]
        assert leases.holders(tx) == ["alive"]
    claimed = []
    for _ in range(5):
        with database.begin() as tx:
            order = ClaimOrder(run=others, limit=50, lease_seconds=600)
            claimed += work.claim(tx, "payouts.process", order)
    assert [(h.claims, h.token > max(tokens)) for h in claimed] == [(2, True)] * 3


def test_a_row_in_a_transaction_of_the_dead_is_left_to_its_lease(database: Database) -> None:
    """Whoever is about to be settled is not waited for."""
    running(database, "dead", 2)
    with database.begin() as settling:
        [row] = rows(database, "SELECT subject FROM work ORDER BY subject LIMIT 1")
        locking = "SELECT FROM work WHERE subject = :s FOR UPDATE"
        settling.rows(sa.text(locking), s=row.subject)
        with database.begin() as tx:
            assert leases.lapse(tx, ["dead"], lease_seconds=600) == (1, 1)
