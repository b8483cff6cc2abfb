"""One worker of a benchmark, as a process: the product's runner, on the benchmark's bank where its job needs one.

It is told which run to take on standard input, a line each, and tells on standard output, a JSON
object a line: `ready`, what its runner rings for, and how each run ended. End of input ends it.
"""

import json
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import psutil

from db.engine import DatabaseOptions
from domain.appointments import RELEASE_TENTATIVE
from domain.payouts import PROCESS
from jobs.bookings.release_tentative import ReleaseTentative
from jobs.shapes import Job
from workers.bench.limit import payouts_job
from workers.bench.load import megabytes
from workers.bench.timed import Timed
from workers.composition import calm_collector
from workers.logs import configure
from workers.runner.bounds import Bounds
from workers.runner.execute import Runner
from workers.settings import load


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """How a child works."""

    url: str
    job: str = PROCESS
    gateway_seconds: float = 0.0
    concurrency: int = Bounds().concurrency
    batch: int = Bounds().batch_max
    budget_seconds: float = 600.0
    """Longer than any drain: what ends a run is that nothing is left."""

    def as_argument(self) -> str:
        """The orders as the child's command line holds them."""
        return json.dumps(asdict(self))


def tell(**told: object) -> None:
    """Say something to the parent."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def ring(rung: Sequence[tuple[int, str]]) -> None:
    """Ring as the bell would: the parent hands the run to a child that is idle."""
    if rung:
        tell(rung=[run for run, _ in rung])


def made(orders: Orders) -> Job:
    """The job whose runs it takes."""
    if orders.job == RELEASE_TENTATIVE:
        return ReleaseTentative()
    return payouts_job(orders.gateway_seconds)


def main(argument: str) -> None:
    """Take runs until the input ends."""
    configure(load({"BURSAR_LOG_LEVEL": "warning"}))
    orders = Orders(**json.loads(argument))
    database = Timed(DatabaseOptions(url=orders.url, application="bursar bench worker"))
    job = made(orders)
    runner = Runner(
        database=database,
        jobs={job.name: job},
        bounds=Bounds(
            concurrency=orders.concurrency,
            batch_max=orders.batch,
            budget_seconds=orders.budget_seconds,
        ),
        worker=f"bench:{psutil.Process().pid}",
        ring=ring,
        stop=threading.Event(),
    )
    database.warm_up()
    calm_collector()
    tell(ready=True)
    for line in sys.stdin:
        used = time.process_time()
        state = runner.execute(int(line))
        tell(
            ended=int(line),
            state=state.value if state else None,
            cpu_seconds=time.process_time() - used,
            megabytes=megabytes(psutil.Process()),
            longest_seconds=database.longest_seconds,
        )
    database.dispose()


if __name__ == "__main__":
    main(sys.argv[1])
