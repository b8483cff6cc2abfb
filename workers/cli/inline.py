"""Execute a run in this very process, under the leases a worker would take."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from db import wakes
from domain.errors import RefusedError
from jobs.shapes import Job
from workers.cli.context import Context
from workers.composition import process
from workers.logs import configure
from workers.startup import refuse_unsafe


def execute(here: Context, job: type[Job], run: int, *, seconds_max: float) -> None:
    """Execute `run`, and then wake runs of its job, until nothing is due, Ctrl-C, or the time is over.

    Raises `RefusedError` where this process has no port for the job, or servers are unsafe.
    """
    configure(here.settings, sys.stderr)
    limit = time.monotonic() + seconds_max
    stop = threading.Event()
    with (
        _ends_in_order(stop),
        process(here.settings, here.addresses, application="bursar inline", stop=stop) as made,
    ):
        if job.name not in made.jobs:
            raise RefusedError(f"{job.name} cannot run here: no payout provider is configured")
        refuse_unsafe(made.database, here.addresses.broker_url, here.settings)
        known = [k for k in made.runner.known if k.job == job.name]
        made.runner.execute(run)
        while not stop.is_set() and time.monotonic() < limit and job.shape != "sweep":
            woken = made.database.transact(lambda tx: wakes.wake(tx, known))
            if not woken:
                break
            for next_run, _ in woken:
                made.runner.execute(next_run)
    if stop.is_set():
        raise KeyboardInterrupt


@contextmanager
def _ends_in_order(stop: threading.Event) -> Iterator[None]:
    """Let Ctrl-C stop the run as SIGTERM stops a worker: calls under way end and are settled."""

    def asked(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
