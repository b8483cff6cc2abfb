"""What each second of a worker process finds: here, runs that nobody else would."""

from datetime import timedelta

from db import switches
from db.clock import now
from db.workers import Worker
from domain.payouts import PROCESS
from domain.switches import MAINTENANCE
from tests.builders import house
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
