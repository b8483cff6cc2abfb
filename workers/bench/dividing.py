"""Settled obligations divided among their lenders a second, by one worker process: calculation, shares and books."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from db import installation, runs
from db.bench import lending
from db.engine import Database, DatabaseOptions
from db.runs import Request
from domain.errors import BrokenError
from domain.runs import Origin
from jobs.dispersals.create import CreateDispersals
from workers.bench.load import cpu_seconds
from workers.bench.stand import LONG_SECONDS, Stand, opened
from workers.runner.bounds import Bounds
from workers.runner.execute import Runner

SECONDS_MAX: Final = 600.0
SET: Final = 2_000
"""Obligations that are settled in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DividedIn:
    """How long it took, and what processors worked meanwhile: ours, and Postgres's; in seconds."""

    seconds: float
    worker_cpu_seconds: float
    postgres_cpu_seconds: float


def divide(stand: Stand, items: int) -> DividedIn:
    """Let `dispersals.create` divide so many obligations with five lenders each. Raises `BrokenError`."""
    with stand.database() as url, opened(url) as operator:
        with operator.begin(LONG_SECONDS) as tx:
            lending.owe(tx, installation.get(tx).id, items)
        while operator.transact(lambda tx: lending.settle(tx, SET), seconds=LONG_SECONDS):
            pass
        before, ours = cpu_seconds([stand.postgres()]), time.process_time()
        took = _run(url)
        ours = time.process_time() - ours
        postgres = cpu_seconds([stand.postgres()]) - before
        with operator.begin(LONG_SECONDS) as tx:
            if not lending.is_divided(tx, items):
                raise BrokenError(f"not each of {items} obligations was divided among its lenders")
    return DividedIn(seconds=took, worker_cpu_seconds=ours, postgres_cpu_seconds=postgres)


def _run(url: str) -> float:
    """As many runs at once as a process has of this job, until nothing is due; how long they took."""
    job = CreateDispersals()
    database = Database(DatabaseOptions(url=url, application="bursar bench worker", pool_max=8))
    runner = Runner(
        database=database,
        jobs={job.name: job},
        bounds=Bounds(budget_seconds=SECONDS_MAX),
        worker="bench:divide",
        ring=lambda _made: None,
        stop=threading.Event(),
    )
    asked = Request(job=job.name, queue=job.queue.value, version=1, origin=Origin.OPERATOR)
    try:
        made = database.transact(lambda tx: runs.enqueue(tx, [asked] * job.width_max))
        with ThreadPoolExecutor(job.width_max) as threads:
            began = time.monotonic()
            list(threads.map(runner.execute, [run.id for run in made]))
            return time.monotonic() - began
    finally:
        database.dispose()
