"""Chores and sweeps: all in one transaction, and page after page under one lease."""

import threading
from typing import TYPE_CHECKING

import pytest

from db import run_states
from db.engine import Database
from db.errors import OverdueError
from db.tx import Tx
from db.work import ClaimOrder
from domain.tally import Tally
from jobs.shapes import Done
from tests.builders import House, add_work, change, house, rows
from tests.waiting import eventually
from tests.workers.runner.cuts import ENTER, LEAVE, Lost, cut
from tests.workers.runner.jobs import COUNT, EXPIRE, CountUp, Expire

if TYPE_CHECKING:
    from datetime import datetime


def noted(outside: Database) -> list[int]:
    """What committed pages wrote, in their order."""
    return [
        int(r.why)
        for r in rows(outside, "SELECT why FROM switch_changes WHERE name = 'n' ORDER BY id")
    ]


def requeue(home: House, run: int) -> None:
    with home.database.begin() as tx:
        assert run_states.requeue(tx, [run])


def test_a_chore_works_everything_due_off(database_url: str, outside: Database) -> None:
    with house(database_url, jobs={EXPIRE: Expire()}, batch_max=7) as home:
        add_work(home.database, EXPIRE, 30)
        later = add_work(home.database, EXPIRE, 2, "clock_timestamp() + interval '1 h'")
        ended = home.run(EXPIRE)
    assert (ended.state, ended.tally["succeeded"]) == ("succeeded", 30)
    assert {r.subject for r in rows(outside, "SELECT subject FROM work")} == set(later)
    assert home.rung


def test_a_chores_poisoned_item_stops_none_of_its_siblings(
    database_url: str, outside: Database
) -> None:
    with house(database_url, jobs={}) as home:
        ids = add_work(home.database, EXPIRE, 50)
        poison = ids[30]
        home.jobs = {EXPIRE: Expire(poison)}
        ended = home.run(EXPIRE)
        assert (ended.state, ended.tally["succeeded"], ended.tally["failed"]) == ("failed", 49, 1)
        [left] = rows(outside, "SELECT subject, tries, last_error FROM work")
        assert (left.subject, left.tries) == (poison, 1)
        assert "division by zero" in left.last_error
        for _ in range(4):
            change(outside, "UPDATE work SET due_at = clock_timestamp()")
            home.run(EXPIRE)
        [parked] = rows(outside, "SELECT parked_reason FROM work")
        assert "division by zero" in (parked.parked_reason or "")


def test_a_chore_keeps_its_run_while_it_looks_for_the_guilty_item(
    database_url: str, outside: Database
) -> None:
    """Each half may take as long as a statement may: together they are longer than a lease."""
    lease = "SELECT leased_until FROM leases WHERE name LIKE 'run:%'"
    begun: list[datetime] = []

    class Slow(Expire):
        def work(self, tx: Tx, order: ClaimOrder) -> Done:
            if order.limit == 1:
                return super().work(tx, order)
            if begun:
                eventually(lambda: rows(outside, lease)[0].leased_until > begun[0])
            begun.append(rows(outside, lease)[0].leased_until)
            raise OverdueError("canceling statement due to statement timeout")

    with house(database_url, jobs={EXPIRE: Slow()}, batch_max=4, lease_seconds=3.0) as home:
        add_work(home.database, EXPIRE, 1)
        assert home.run(EXPIRE).tally["succeeded"] == 1
    assert len(begun) >= 2


def test_a_switch_holds_a_chore_back(database_url: str, outside: Database) -> None:
    with house(database_url, jobs={EXPIRE: Expire()}) as home:
        add_work(home.database, EXPIRE, 3)
        change(outside, "INSERT INTO switches VALUES ('job:tests.expire', true, 'asha', 'x')")
        ended = home.run(EXPIRE)
    assert (ended.state, ended.reason) == ("succeeded", "held by job:tests.expire")
    assert len(rows(outside, "SELECT FROM work")) == 3


def test_a_sweep_goes_page_by_page_to_its_end(database_url: str, outside: Database) -> None:
    job = CountUp(5)
    with house(database_url, jobs={COUNT: job}) as home:
        ended = home.run(COUNT)
    assert (ended.state, ended.tally["processed"]) == ("succeeded", 5)
    assert noted(outside) == [0, 1, 2, 3, 4]
    assert job.outsides == 5
    assert rows(outside, "SELECT FROM leases") == []


def test_a_second_sweep_at_once_is_skipped(database_url: str, outside: Database) -> None:
    """Invariant 76: tick, enqueue and SQL in the same second: one body runs, the other is skipped and no failure."""
    here, go_on = threading.Event(), threading.Event()

    def wait(_: int) -> None:
        here.set()
        assert go_on.wait(60)

    with house(database_url, jobs={COUNT: CountUp(1, wait)}) as home:
        first = home.in_background(COUNT)
        assert here.wait(60)
        second = home.run(COUNT)
        go_on.set()
        assert first.end().state == "succeeded"
    assert second.state == "skipped"
    assert noted(outside) == [0]


@pytest.mark.parametrize("statement", [ENTER, LEAVE])
@pytest.mark.parametrize("lost", list(Lost))
def test_a_sweep_that_loses_its_connection_at_the_edges_goes_on(
    database_url: str, outside: Database, statement: str, lost: Lost
) -> None:
    """F16: whether its lease was taken or given back, in doubt, the run does its work and leaves nothing."""
    with (
        house(database_url, jobs={COUNT: CountUp(2)}) as home,
        cut(home.database, statement, lost) as happened,
    ):
        ended = home.run(COUNT)
        assert happened.is_set()
    assert (ended.state, ended.reason) == ("succeeded", None)
    assert noted(outside) == [0, 1]
    assert rows(outside, "SELECT FROM leases") == []


def test_a_sweep_that_was_taken_over_writes_no_more_pages(
    database_url: str, outside: Database
) -> None:
    """F08, invariant 77: the page compares the token of `job:<name>` in its own transaction."""
    here, go_on = threading.Event(), threading.Event()

    def wait(n: int) -> None:
        if n == 2:
            here.set()
            assert go_on.wait(60)

    class Outside(CountUp):
        def outside(self) -> Tally:
            wait(self.pages[-1])  # between two pages, when the lease row is nobody's
            return Tally()

    with house(database_url, jobs={COUNT: Outside(5)}) as home:
        run = home.in_background(COUNT)
        assert here.wait(60)
        taken = "UPDATE leases SET token = nextval('tokens') WHERE name = 'job:tests.count'"
        assert change(outside, taken) == 1
        go_on.set()
        ended = run.end()
        assert (ended.state, ended.reason) == ("failed", "its lease was taken over")
    assert noted(outside) == [0, 1, 2]
    assert len(rows(outside, "SELECT FROM leases WHERE name = 'job:tests.count'")) == 1


def test_a_sweep_goes_on_from_its_cursor(database_url: str, outside: Database) -> None:
    broken = [False, True]

    def break_once(n: int) -> None:
        if n == 3 and broken.pop():
            raise ValueError("broken once")

    job = CountUp(6, break_once)
    with house(database_url, jobs={COUNT: job}) as home:
        ended = home.run(COUNT)
        assert (ended.state, ended.reason) == ("failed", "ValueError: broken once")
        assert rows(outside, "SELECT FROM leases") == []
        assert noted(outside) == [0, 1, 2]
        requeue(home, ended.id)
        home.runner.execute(ended.id)
        again = home.row(ended.id)
    assert (again.state, again.attempts) == ("succeeded", 2)
    assert noted(outside) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("switch", ["job:tests.count", "maintenance"])
def test_a_switch_holds_a_sweep_back(database_url: str, outside: Database, switch: str) -> None:
    with house(database_url, jobs={COUNT: CountUp(2)}) as home:
        run = home.request(COUNT)
        change(outside, "INSERT INTO switches VALUES (:name, true, 'asha', 'x')", name=switch)
        home.runner.execute(run)
        assert home.row(run).state in {"queued", "skipped"}
    assert noted(outside) == []
