"""What a run costs that finds nothing to do, of booking jobs and of healing, with much that is over behind it."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from db import runs
from db.bench import copies, divided, finished
from db.engine import Database, DatabaseOptions
from db.runs import Request
from db.tx import Tx
from domain.errors import BrokenError
from domain.runs import Origin, RunState
from domain.waitlist import OfferPolicy
from jobs.bookings.complete import CompleteBookings
from jobs.bookings.expire_checkouts import ExpireCheckouts
from jobs.bookings.expire_wishes import ExpireWishes
from jobs.bookings.flag_orphans import FlagOrphans
from jobs.bookings.release_tentative import ReleaseTentative
from jobs.dispersals.heal import HealDispersals
from jobs.shapes import Job
from jobs.waitlist.expire import ExpireOffers
from jobs.waitlist.offer import OfferPlaces
from jobs.waitlist.remind import RemindOffered
from workers.bench.figures import Figure
from workers.bench.stand import LONG_SECONDS, Stand, opened
from workers.runner.bounds import Bounds
from workers.runner.execute import Runner

MILLI: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Jobs with nothing due, and what is long over behind them: its tables, and how each is filled."""

    jobs: Sequence[Job]
    tables: Sequence[str]
    begin: Callable[[Tx, int], None]
    fill: Callable[[Tx, str, int], None]


BOOKINGS: Final = Idle(
    jobs=(
        ExpireCheckouts(),
        ExpireWishes(),
        ReleaseTentative(),
        CompleteBookings(),
        FlagOrphans(),
        OfferPlaces(OfferPolicy()),
        RemindOffered(),
        ExpireOffers(),
    ),
    tables=finished.TABLES,
    begin=finished.begin,
    fill=finished.fill,
)
HEALING: Final = Idle(
    jobs=(HealDispersals(),), tables=divided.TABLES, begin=divided.begin, fill=divided.fill
)


def idle_ms(stand: Stand, idle: Idle, rows: int, times: int) -> dict[str, Figure]:
    """What a run of each job takes, in ms, `times` times each, behind `rows` finished rows. Raises `BrokenError`."""
    with stand.database() as url:
        if rows:
            finish(stand, url, idle, rows)
        database = Database(DatabaseOptions(url=url, application="bursar bench worker"))
        try:
            seen = _turns(database, idle.jobs, times)
        finally:
            database.dispose()
    return {name: Figure.of(values) for name, values in seen.items()}


def finish(stand: Stand, url: str, idle: Idle, rows: int) -> None:
    """Put `rows` rows that are long over into the database at `url`."""
    with opened(url, role=None) as owner:
        with owner.begin(LONG_SECONDS) as tx:
            idle.begin(tx, rows)
        for table in idle.tables:
            with owner.begin(LONG_SECONDS) as tx:
                idle.fill(tx, table, rows)
    copies.settle(stand.share.superuser_url, copies.name_of(url))


def _turns(database: Database, jobs: Sequence[Job], times: int) -> dict[str, list[float]]:
    """The first turn is not counted: it opens the connection and plans the statements."""
    runner = Runner(
        database=database,
        jobs={job.name: job for job in jobs},
        bounds=Bounds(),
        worker="bench:idle",
        ring=lambda _made: None,
        stop=threading.Event(),
    )
    seen = dict[str, list[float]]()
    for turn in range(times + 1):
        for job in jobs:
            run = _asked(database, job)
            began = time.perf_counter()
            state = runner.execute(run)
            if state is not RunState.SUCCEEDED:
                raise BrokenError(f"a run of {job.name} with nothing due ended {state}")
            if turn:
                seen.setdefault(job.name, []).append((time.perf_counter() - began) * MILLI)
    return seen


def _asked(database: Database, job: Job) -> int:
    asked = Request(
        job=job.name, queue=job.queue.value, version=job.version, origin=Origin.OPERATOR
    )
    return database.transact(lambda tx: runs.enqueue(tx, [asked]))[0].id
