"""Runs: asked for once, started by one holder, found when it died, ended by its token."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from db import leases, run_states, runs, switches, wakes
from db.clock import now
from db.engine import Database
from db.errors import RuleBrokenError
from db.runs import Enqueued, Known, Request
from domain.runs import Origin, RunState
from tests.builders import add_work, change, expire, rows, worker

JOB = "payouts.process"
KNOWN = Known(job=JOB, queue="money", version=1, width_max=2)
WATCHED = Known(job="upkeep.watch", queue="money", version=1, width_max=2)
OTHER = Known(job="payouts.follow", queue="money", version=1, width_max=2)
ASKED = Request(job=JOB, queue="money", version=1, origin=Origin.OPERATOR)


@pytest.fixture(params=[("none", 6), ("transaction", 1)], ids=["direct", "pooled"])
def database(request: pytest.FixtureRequest, database_url: str) -> Iterator[Database]:
    """A worker's database, directly, and as behind a pooler with one connection."""
    pooler, pool_max = request.param
    with worker(database_url, pooler=pooler, pool_max=pool_max) as made:
        yield made


def enqueue(database: Database, *requests: Request) -> list[Enqueued]:
    with database.begin() as tx:
        return runs.enqueue(tx, requests)


def start(database: Database, run: int, *known: Known, lease: float = 15.0) -> runs.Started | None:
    with database.begin() as tx:
        return runs.start(tx, run, known or [KNOWN], worker="here:1:1", lease_seconds=lease)


def wake(database: Database, *known: Known) -> list[tuple[int, str]]:
    with database.begin() as tx:
        return wakes.wake(tx, known or [KNOWN])


def turn(database: Database, name: str, *, on: bool = True) -> None:
    with database.begin() as tx:
        switches.turn(tx, name, on=on, who="asha", why="test")


def state(database: Database, run: int) -> str:
    found: str = rows(database, "SELECT state FROM runs WHERE id = :id", id=run)[0].state
    return found


def lapse(database: Database) -> None:
    change(database, "UPDATE leases SET leased_until = clock_timestamp()")


def test_due_work_makes_one_wake_run_while_it_waits(database: Database) -> None:
    assert wake(database) == []
    add_work(database, JOB, 3)
    [(run, queue)] = wake(database)
    assert queue == "money"
    assert wake(database) == []
    assert start(database, run) is not None
    assert len(wake(database)) == 1


def test_a_wake_run_left_by_a_newer_release_is_taken_after_a_rollback(database: Database) -> None:
    """F97: it would wait for ever, and be the one waiting wake of its job."""
    add_work(database, JOB, 1)
    [(run, queue)] = wake(database, replace(KNOWN, version=2))
    assert start(database, run) is None
    assert wake(database) == [(run, queue)]
    assert start(database, run) is not None


def test_sixteen_who_see_due_work_make_one_wake_run(database_url: str) -> None:
    """F54: however many look at once, one run waits."""
    with worker(database_url, pool_max=16) as database:
        add_work(database, JOB, 3)
        barrier = threading.Barrier(16)

        def look(_: int) -> int:
            barrier.wait()
            return len(wake(database))

        with ThreadPoolExecutor(16) as threads:
            made = sum(threads.map(look, range(16)))
        waiting = rows(database, "SELECT id FROM runs WHERE state = 'queued'")
    assert made == len(waiting) == 1


def test_what_is_later_leased_or_parked_wakes_nobody(database: Database) -> None:
    add_work(database, JOB, 1, "clock_timestamp() + interval '1 h'")
    add_work(database, JOB, 1)
    change(
        database,
        """UPDATE work SET token = 1, holder = 1, leased_until = clock_timestamp() + interval '1 min'
           WHERE due_at <= clock_timestamp()""",
    )
    assert wake(database) == []
    expire(database)
    assert len(wake(database)) == 1


def test_no_more_runs_than_the_width_of_their_job(database: Database) -> None:
    add_work(database, JOB, 1)
    for _ in range(KNOWN.width_max):
        [(run, _)] = wake(database)
        assert start(database, run) is not None
    assert wake(database) == []
    assert wake(database, replace(KNOWN, width_max=3)) != []


@pytest.mark.parametrize("switch", ["maintenance", "queue:money", "job:payouts.process"])
def test_a_switch_wakes_nobody(database: Database, switch: str) -> None:
    add_work(database, JOB, 1)
    turn(database, switch)
    assert wake(database) == []


def test_a_request_key_is_the_same_run_for_ever(database: Database) -> None:
    """F18: the producer that lost the reply asks again, and gets the run it made, ended or not."""
    asked = replace(ASKED, key="nightly")
    [first] = enqueue(database, asked)
    assert first.is_new
    started = start(database, first.id)
    assert started
    with database.begin() as tx:
        assert runs.end(tx, started, RunState.SUCCEEDED, tally={}, reason=None)
    [again] = enqueue(database, asked)
    assert (again.id, again.is_new) == (first.id, False)
    [other] = enqueue(database, replace(asked, job="payouts.follow"))
    assert other.is_new


def test_one_request_key_at_sixteen_doors_is_one_run(database_url: str) -> None:
    """F18, invariant 1: duplicate triggers."""
    with worker(database_url, pool_max=16) as database:
        barrier = threading.Barrier(16)

        def ask(_: int) -> list[Enqueued]:
            barrier.wait()
            # A twin just being committed is not visible to the first call, by contract.
            return enqueue(database, replace(ASKED, key="k")) or enqueue(
                database, replace(ASKED, key="k")
            )

        with ThreadPoolExecutor(16) as threads:
            got = list(threads.map(ask, range(16)))
    assert len({run.id for [run] in got}) == 1
    assert sum(run.is_new for [run] in got) == 1


def test_a_scope_beyond_64_kib_is_refused(database: Database) -> None:
    """F51: the constraint is the limit."""
    with pytest.raises(RuleBrokenError) as refused:
        enqueue(database, replace(ASKED, scope={"payout": "x" * 70_000}))
    assert refused.value.constraint == "scope_is_small"


def test_only_known_jobs_and_versions_are_started(database: Database) -> None:
    """F50: what this process does not know stays queued for one that does."""
    new, foreign = enqueue(
        database, replace(ASKED, version=2), replace(ASKED, job="bookings.expire")
    )
    assert start(database, new.id) is None
    assert start(database, foreign.id) is None
    assert state(database, new.id) == "queued"
    assert start(database, new.id, replace(KNOWN, version=3)) is not None


def test_a_run_that_is_not_due_is_not_started(database: Database) -> None:
    with database.begin() as tx:
        later = now(tx) + timedelta(hours=1)
    [run] = enqueue(database, replace(ASKED, due_at=later))
    assert start(database, run.id) is None
    change(database, "UPDATE runs SET due_at = clock_timestamp()")
    started = start(database, run.id)
    assert started
    assert 0 <= started.late_seconds < 60


@pytest.mark.parametrize("switch", ["maintenance", "queue:money", "restored"])
def test_a_switch_holds_a_run_back(database: Database, switch: str) -> None:
    """F34: after a restore nothing starts either."""
    [run] = enqueue(database, ASKED)
    turn(database, switch)
    assert start(database, run.id) is None
    turn(database, switch, on=False)
    assert start(database, run.id) is not None


def test_maintenance_holds_new_runs_and_its_end_queues_them(database: Database) -> None:
    turn(database, "maintenance")
    [run] = enqueue(database, ASKED)
    assert state(database, run.id) == "held"
    turn(database, "maintenance", on=False)
    with database.begin() as tx:
        assert run_states.unhold(tx) == [(run.id, "money")]
    assert start(database, run.id) is not None


def test_nothing_is_let_go_while_maintenance_is_on(database: Database) -> None:
    turn(database, "maintenance")
    enqueue(database, ASKED)
    with database.begin() as tx:
        assert run_states.unhold(tx) == []


def test_a_run_whose_lease_was_broken_by_an_operator_is_found_crashed(database: Database) -> None:
    """It would be running for ever, and count as the width of its job, so that nothing is woken."""
    [run] = enqueue(database, ASKED)
    assert start(database, run.id)
    lapse(database)
    with database.begin() as tx:
        assert leases.break_expired(tx, f"run:{run.id}")
    with database.begin() as tx:
        assert run_states.mark_crashed(tx) == [(run.id, JOB, 1)]
    assert state(database, run.id) == "crashed"


def test_of_two_starters_one_wins(database_url: str) -> None:
    """F54: a message that rings twice starts its run once."""
    with worker(database_url, pool_max=16) as database:
        [run] = enqueue(database, ASKED)
        barrier = threading.Barrier(16)

        def take(_: int) -> bool:
            barrier.wait()
            return start(database, run.id) is not None

        with ThreadPoolExecutor(16) as threads:
            assert sum(threads.map(take, range(16))) == 1
        assert len(rows(database, "SELECT FROM run_attempts")) == 1


def test_a_run_whose_lease_ended_is_found_crashed_and_its_holder_ends_nothing(
    database: Database,
) -> None:
    """F08: the holder that slept has no say in how its run ended."""
    [run] = enqueue(database, ASKED)
    started = start(database, run.id)
    assert started
    with database.begin() as tx:
        assert run_states.mark_crashed(tx) == []
    lapse(database)
    with database.begin() as tx:
        assert run_states.mark_crashed(tx) == [(run.id, JOB, 1)]
    with database.begin() as tx:
        assert not runs.end(tx, started, RunState.SUCCEEDED, tally={}, reason=None)
    assert state(database, run.id) == "crashed"
    assert rows(database, "SELECT outcome FROM run_attempts")[0].outcome == "crashed"


def test_a_run_ends_once_by_its_token(database: Database) -> None:
    [run] = enqueue(database, ASKED)
    started = start(database, run.id)
    assert started
    with database.begin() as tx:
        stale = replace(started, token=started.token - 1)
        assert not runs.end(tx, stale, RunState.FAILED, tally={}, reason="x")
        assert runs.end(tx, started, RunState.FAILED, tally={"failed": 2}, reason="x")
        assert not runs.end(tx, started, RunState.SUCCEEDED, tally={}, reason=None)
    [row] = rows(database, "SELECT state, tally, reason FROM runs")
    assert tuple(row) == ("failed", {"failed": 2}, "x")
    assert rows(database, "SELECT FROM leases") == []


def test_an_operators_run_is_tried_again_as_the_same_row_a_wake_run_never(
    database: Database,
) -> None:
    add_work(database, JOB, 1)
    [(woken, _)] = wake(database)
    [asked] = enqueue(database, ASKED)
    for run in (woken, asked.id):
        started = start(database, run)
        assert started
        with database.begin() as tx:
            runs.end(tx, started, RunState.FAILED, tally={}, reason="x")
    with database.begin() as tx:
        assert run_states.requeue(tx, [woken, asked.id]) == [(asked.id, "money")]
    again = start(database, asked.id)
    assert again
    assert again.attempt == 2


def test_only_what_has_not_started_is_cancelled(database: Database) -> None:
    waits, runs_ = enqueue(database, ASKED, ASKED)
    start(database, runs_.id)
    with database.begin() as tx:
        assert run_states.cancel(tx, [waits.id, runs_.id], "no need") == [waits.id]
    assert start(database, waits.id) is None


def test_overdue_runs_are_those_this_process_could_start(database: Database) -> None:
    """F41, F42: a lost bell is made good by looking for what has been due for a while."""
    mine, foreign, fresh, started = enqueue(
        database, ASKED, replace(ASKED, job="bookings.expire"), ASKED, ASKED
    )
    start(database, started.id)
    change(
        database,
        "UPDATE runs SET due_at = due_at - interval '3 s' WHERE id <> :fresh",
        fresh=fresh.id,
    )
    with database.begin() as tx:
        assert wakes.overdue(tx, [KNOWN, OTHER], seconds=2, limit=50) == [(mine.id, "money")]
        assert foreign.id not in dict(wakes.overdue(tx, [KNOWN], seconds=0, limit=50))


@pytest.mark.parametrize("switch", ["maintenance", "queue:money", "restored"])
def test_overdue_runs_that_a_switch_holds_back_do_not_stand_before_those_that_can_start(
    database: Database, switch: str
) -> None:
    """The watch goes on whatever is held back: sixty runs that cannot start must not hide its run."""
    enqueue(database, *[ASKED] * 60)
    [watch] = enqueue(database, replace(ASKED, job=WATCHED.job, origin=Origin.WATCH))
    change(database, "UPDATE runs SET due_at = due_at - make_interval(secs => 1000 - id)")
    with database.begin() as tx:
        switches.turn(tx, switch, on=True, who="meera", why="x")
        assert wakes.overdue(tx, [KNOWN, WATCHED], seconds=2, limit=50) == [(watch.id, "money")]
        switches.turn(tx, switch, on=False, who="meera", why="x")
        assert len(wakes.overdue(tx, [KNOWN, WATCHED], seconds=2, limit=50)) == 50


def test_a_cursor_is_kept_only_under_the_lease(database: Database) -> None:
    [run] = enqueue(database, ASKED)
    started = start(database, run.id)
    assert started
    with database.begin() as tx:
        assert runs.save_cursor(tx, started, {"after": 5}, {"processed": 5})
        assert not runs.save_cursor(tx, replace(started, token=0), {"after": 9}, {})
    assert rows(database, "SELECT cursor FROM runs")[0].cursor == {"after": 5}


def test_what_its_own_brake_holds_back_is_not_woken(database: Database) -> None:
    braked = Known(
        job=JOB, queue="money", version=1, width_max=2, more_gates=("brake:razorpayx:acc",)
    )
    add_work(database, JOB, 1)
    turn(database, "brake:razorpayx:acc")
    assert wake(database, braked) == []
    assert len(wake(database, KNOWN)) == 1
