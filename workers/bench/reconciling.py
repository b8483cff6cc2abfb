"""How long the daily reconciliation of the cash of obligations takes, and how much memory; all of them are right."""

import resource
import threading
import time
from typing import NamedTuple

from db import runs
from db.bench import copies, journals
from db.engine import Database, DatabaseOptions
from db.runs import Request
from domain.errors import BrokenError
from domain.runs import Origin, RunState
from jobs.cash.reconcile import ReconcileCash
from workers.bench.load import cpu_seconds
from workers.bench.stand import LONG_SECONDS, Stand, opened
from workers.runner.bounds import Bounds
from workers.runner.execute import Runner


class Reconciled(NamedTuple):
    """How long one reconciliation took, what processors worked, and the most memory the process ever had."""

    seconds: float
    worker_cpu_seconds: float
    postgres_cpu_seconds: float
    resident_mb: float


def reconcile(stand: Stand, items: int, times: int) -> list[Reconciled]:
    """Reconcile so many obligations, so often. Raises `BrokenError` where a run fails, or finds anything."""
    with stand.database() as url:
        fill(stand, url, items)
        database = Database(DatabaseOptions(url=url, application="bursar bench worker"))
        try:
            done = [_once(stand, database) for _ in range(times)]
            with database.begin() as tx:
                if found := journals.found(tx):
                    raise BrokenError(f"{found} findings over obligations that are all right")
        finally:
            database.dispose()
    return done


def fill(stand: Stand, url: str, items: int) -> None:
    """Put so many obligations that were received and divided into the database at `url`."""
    with opened(url, role=None) as owner:
        with owner.begin(LONG_SECONDS) as tx:
            journals.begin(tx, items)
        for table in journals.TABLES:
            with owner.begin(LONG_SECONDS) as tx:
                journals.fill(tx, table, items)
    copies.settle(stand.share.superuser_url, copies.name_of(url))


def _once(stand: Stand, database: Database) -> Reconciled:
    job = ReconcileCash()
    runner = Runner(
        database=database,
        jobs={job.name: job},
        bounds=Bounds(),
        worker="bench:reconcile",
        ring=lambda _made: None,
        stop=threading.Event(),
    )
    asked = Request(job=job.name, queue=job.queue.value, version=1, origin=Origin.OPERATOR)
    run = database.transact(lambda tx: runs.enqueue(tx, [asked]))[0].id
    before, ours = cpu_seconds([stand.postgres()]), time.process_time()
    began = time.monotonic()
    state = runner.execute(run)
    took = time.monotonic() - began
    ours = time.process_time() - ours
    postgres = cpu_seconds([stand.postgres()]) - before
    if state is not RunState.SUCCEEDED:
        raise BrokenError(f"a run of {job.name} ended {state}")
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Reconciled(took, ours, postgres, kilobytes / 1024)
