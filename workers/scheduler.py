"""The scheduler process: a clock that wakes the ticker, and a look at the timetable every 2 s."""

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Final

import structlog

from db.engine import Database
from domain.errors import ExpectedError
from jobs.catalog import ALL
from schedules.clock import Clock
from schedules.targets import targets_of
from schedules.ticker import Clocks, Ring, Ticker
from schedules.timetable import TIMETABLE
from workers.broker import Bell
from workers.databases import open_database
from workers.servers import Addresses
from workers.settings import Settings
from workers.signals import stop_on_signals
from workers.startup import refuse_unsafe

LOOK_SECONDS: Final = 2.0
"""How long a changed setting or switch may go unseen."""
POOL_MAX: Final = 2

log = structlog.get_logger(__name__)


def run_scheduler(settings: Settings, addresses: Addresses) -> int:
    """Record ticks until SIGTERM or SIGINT; returns the exit code.

    Raises `RefusedError` on unsafe servers, `UnreachableError` where the database does not answer.
    """
    stop = threading.Event()
    stop_on_signals(stop)
    with ExitStack() as stack:
        database = open_database(
            settings,
            addresses,
            role="bursar_worker",
            application="bursar scheduler",
            pool_max=min(POOL_MAX, settings.database_pool_max),
        )
        stack.callback(database.dispose)
        database.warm_up()
        refuse_unsafe(database, addresses.broker_url, settings)
        bell = Bell(addresses.broker_url)
        stack.callback(bell.close)
        serve(make_ticker(database, bell.ring), stop)
    return 0


def make_ticker(database: Database, ring: Ring) -> Ticker:
    """The ticker of this process for the whole timetable."""
    host = socket.gethostname()
    return Ticker(
        database,
        TIMETABLE,
        targets_of(ALL),
        clocks=Clocks(wall=lambda: datetime.now(UTC), monotonic=time.monotonic),
        ring=ring,
        by=f"scheduler {host}:{os.getpid()}",
        host=f"scheduler {host}",
    )


def serve(ticker: Ticker, stop: threading.Event) -> None:
    """Look at once, then every 2 s and at each time that comes, until `stop` is set."""
    clock = Clock(lambda name: _guarded(f"tick of {name}", lambda: _came(ticker, clock, name)))
    clock.start()
    log.info("scheduler.ready", by=ticker.by, schedules=sorted(ticker.timetable))
    try:
        while not stop.is_set():
            _guarded("look", lambda: _look(ticker, clock))
            stop.wait(LOOK_SECONDS)
    finally:
        ticker.stop.set()
        clock.stop()
        log.info("scheduler.stopped", by=ticker.by)


def _look(ticker: Ticker, clock: Clock) -> None:
    for name, at in ticker.look().items():
        clock.set(name, at)
    if ticker.refuses:
        log.error("scheduler.clock_apart", by=ticker.by)


def _came(ticker: Ticker, clock: Clock, name: str) -> None:
    for tick in ticker.account(name):
        outcome = tick.outcome.value
        log.info(
            "schedule.ticked", schedule=name, outcome=outcome, run_id=tick.run, why=tick.reason
        )
    for due, at in ticker.next_times([name]).items():
        clock.set(due, at)


def _guarded(what: str, act: Callable[[], None]) -> None:
    """Do it, or say why not: the next look does what this one could not."""
    try:
        act()
    except ExpectedError as error:
        log.warning("scheduler.failed", what=what, error=str(error))
