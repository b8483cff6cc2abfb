"""The scheduler process: punctual, obedient within seconds, and gone without a trace on SIGTERM."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from db import schedule_settings, ticks
from db.engine import Database, DatabaseOptions
from db.schedule_settings import Change
from db.tx import Row
from domain.schedules import CatchUp, Rhythm, Schedule
from jobs.catalog import ALL
from schedules.targets import targets_of
from schedules.ticker import Clocks, Ticker
from schedules.timetable import TIMETABLE
from workers.scheduler import make_ticker, serve

NAME = "payouts.recover"
SECONDLY = Schedule(name=NAME, job=NAME, rhythm=Rhythm(every_seconds=1), catch_up=CatchUp.RUN_ALL)
DAILY = Schedule(name=NAME, job=NAME, rhythm=Rhythm(every_seconds=86_400))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(DatabaseOptions(url=database_url))
    yield database
    database.dispose()


@contextmanager
def serving(database: Database, schedule: Schedule) -> Iterator[threading.Thread]:
    """A scheduler at work in a thread; stopped and ended afterwards."""
    ticker = Ticker(
        database,
        [schedule],
        targets_of(ALL),
        clocks=Clocks(wall=lambda: datetime.now(UTC), monotonic=time.monotonic),
        ring=lambda _queue, _runs: None,
        by="scheduler here",
        host="here",
    )
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=[ticker, stop])
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def recorded(database: Database, count: int, seconds: float = 60) -> list[Row]:
    """The ticks, newest first, once there are `count`."""
    ends_at = time.monotonic() + seconds
    waiting = threading.Event()
    while time.monotonic() < ends_at:
        with database.begin() as tx:
            rows = ticks.listing(tx, NAME)
        if len(rows) >= count:
            return list(rows)
        waiting.wait(0.05)
    raise AssertionError(f"no {count} ticks within {seconds} s")


def test_the_whole_timetable_has_jobs_to_run(database: Database) -> None:
    ticker = make_ticker(database, lambda _queue, _runs: None)

    assert set(ticker.look()) == {schedule.name for schedule in TIMETABLE}


def test_times_are_recorded_as_they_come(database: Database) -> None:
    with serving(database, SECONDLY):
        rows = recorded(database, 4)

    times = [row.tick_at for row in rows]
    assert times == [times[0] - timedelta(seconds=n) for n in range(len(times))]
    assert all(row.tick_at <= row.recorded_at for row in rows)
    assert all(row.outcome == "run" for row in rows)


def test_a_changed_rhythm_is_in_force_within_five_seconds(
    database: Database, database_url: str
) -> None:
    operator = Database(DatabaseOptions(url=database_url, role="bursar_operator"))
    with serving(database, DAILY):
        with operator.begin() as tx:
            schedule_settings.set_(tx, DAILY, Change(every_seconds=1), who="meera", why="a hurry")
        rows = recorded(database, 1, seconds=5)
    operator.dispose()

    assert rows


def test_a_scheduler_outlives_a_database_that_is_away(
    database: Database, superuser_url: str
) -> None:
    killer = sa.create_engine(superuser_url, poolclass=sa.pool.NullPool)
    with serving(database, SECONDLY):
        before = recorded(database, 1)
        with killer.begin() as connection:
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        rows = recorded(database, len(before) + 2)

    times = sorted(row.tick_at for row in rows)
    assert (times[-1] - times[0]).total_seconds() == len(times) - 1


def test_sigterm_ends_the_process_and_leaves_no_connection(
    database_url: str, redis_url: str, superuser_url: str
) -> None:

    environment = {
        "PATH": os.environ["PATH"],
        "BURSAR_DATABASE_URL": database_url,
        "BURSAR_BROKER_URL": redis_url,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "scheduler"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        said = next((line for line in lines if "scheduler.ready" in line), None)
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        assert process.wait(60) == 0, rest

    assert said is not None, rest
    engine = sa.create_engine(superuser_url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        left = connection.scalar(
            sa.text(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'bursar scheduler'"
            )
        )
    assert left == 0
