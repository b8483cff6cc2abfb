"""One worker of a drain, as a process: the product's runner on the benchmark's bank.

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

from db.engine import Database, DatabaseOptions
from workers.bench.limit import payouts_job
from workers.bench.load import megabytes
from workers.composition import calm_collector
from workers.logs import configure
from workers.runner.bounds import Bounds
from workers.runner.execute import Runner
from workers.settings import load


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """How a child works."""

    url: str
    gateway_seconds: float
    concurrency: int
    batch: int
    budget_seconds: float = 600.0
    """Longer than any drain: what ends a run is that nothing is left."""

    def as_argument(self) -> str:
        """The orders as the child's command line holds them."""
        return json.dumps(asdict(self))


def tell(**told: object) -> None:
    """Say something to the parent."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def ring(made: Sequence[tuple[int, str]]) -> None:
    """Ring as the bell would: the parent hands the run to a child that is idle."""
    if made:
        tell(rung=[run for run, _ in made])


def main(argument: str) -> None:
    """Take runs until the input ends."""
    configure(load({"BURSAR_LOG_LEVEL": "warning"}))
    orders = Orders(**json.loads(argument))
    database = Database(DatabaseOptions(url=orders.url, application="bursar bench worker"))
    job = payouts_job(orders.gateway_seconds)
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
        )
    database.dispose()


if __name__ == "__main__":
    main(sys.argv[1])
