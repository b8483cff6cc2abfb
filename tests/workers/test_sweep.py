"""What each second of a worker process finds: here, runs that nobody else would."""

from datetime import timedelta

from db import switches
from db.clock import now
from db.engine import Database
from db.workers import Worker
from domain.payouts import PROCESS
from domain.switches import MAINTENANCE
from tests.builders import assert_paid_once, assert_sound, house, rows, seed, states
from workers.broker import Bell, RunningWorker
from workers.composition import Process
from workers.sweep import SweepThread


def test_maintenance_that_ends_by_its_time_frees_what_it_held_back(database_url: str) -> None:
    """F98: held runs count as the width of their job; left held, its work would wait for ever."""
    with house(database_url) as home:
        process = Process(
            database=home.database,
            jobs=dict(home.jobs),
            runner=home.runner,
            bell=Bell("redis://127.0.0.1:1"),
            registered=Worker(id=home.worker, host="here", pid=1, version="1", jobs=[PROCESS]),
        )
        sweep = SweepThread(process, RunningWorker({}, {}))
        with home.database.begin() as tx:
            later = now(tx) + timedelta(hours=1)
            switches.turn(tx, MAINTENANCE, on=True, who="asha", why="test", until=later)
        held = home.request(PROCESS)
        sweep.sweep()
        assert home.row(held).state == "held"
        with home.database.begin() as tx:
            switches.turn(tx, MAINTENANCE, on=True, who="asha", why="test", until=now(tx))
        sweep.sweep()
        assert home.row(held).state == "queued"
        assert (held, "money") in home.rung


def test_what_is_under_way_as_maintenance_begins_is_finished_and_nothing_more_begins(
    database_url: str,
) -> None:
    """F98: calls end and are settled, what had not begun is as it was; afterwards the rest is done."""
    ids = seed(database_url, 60)
    with house(database_url, batch_max=2, concurrency=1) as home:
        with home.bank.held() as hold:
            run = home.in_background(PROCESS)
            hold.wait_for(1)
            turn(home.database, on=True)
            hold.release()
            run.end()
        sent = len(home.bank.submits)
        assert 0 < sent < len(ids)
        assert states(home.database) == {"PROCESSING": sent, "APPROVED": len(ids) - sent}
        assert rows(home.database, "SELECT FROM work WHERE leased_until IS NOT NULL") == []
        assert_sound(home.database)
        turn(home.database, on=False)
        home.run(PROCESS)
    assert_paid_once(home.bank, ids)


def turn(database: Database, *, on: bool) -> None:
    """Begin maintenance, or end it."""
    with database.begin() as tx:
        switches.turn(tx, MAINTENANCE, on=on, who="asha", why="new disks")
