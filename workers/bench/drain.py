"""Payouts drained per second: imported, approved, then claimed, sent to a stub bank and settled by processes."""

from dataclasses import dataclass
from typing import Final

from db import wakes
from db.bench import proof
from db.bench.proof import Span
from db.engine import Database
from domain.errors import BrokenError
from workers.bench.child import Orders
from workers.bench.crew import crew
from workers.bench.limit import payouts_job
from workers.bench.load import cpu_seconds
from workers.bench.stand import LONG_SECONDS, Stand, opened, seed
from workers.runner.bounds import Bounds

SECONDS_MAX: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """What is to be drained, and by whom."""

    items: int
    processes: int = 2
    gateway_seconds: float = 0.0
    concurrency: int = Bounds().concurrency
    """Calls in flight, in each process."""
    batch: int = Bounds().batch_max

    @property
    def ideal_per_second(self) -> float | None:
        """What a gateway of that slowness would let through; None where it answers at once."""
        if not self.gateway_seconds:
            return None
        return self.processes * self.concurrency / self.gateway_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """How one drain went."""

    items: int
    span: Span
    workers_cpu_seconds: float
    postgres_cpu_seconds: float
    megabytes: float
    runs: int

    @property
    def per_second(self) -> float:
        """From the start of the first run to the last settle."""
        return self.items / self.span.seconds

    @property
    def steady_per_second(self) -> float:
        """Between the 10th and the 90th percentile of settles: without starting and ending."""
        return 0.8 * self.items / max(self.span.steady_seconds, 1e-9)


def drain(stand: Stand, plan: Drain) -> Drained:
    """Drain once, on a fresh database, and prove what came of it. Raises `BrokenError`."""
    with stand.database() as url:
        seed(url, plan.items)
        orders = Orders(
            url=url,
            gateway_seconds=plan.gateway_seconds,
            concurrency=plan.concurrency,
            batch=plan.batch,
        )
        with crew(orders, plan.processes) as made, opened(url) as database:
            before = cpu_seconds([stand.postgres()])
            made.drain(wake(database), SECONDS_MAX)
            postgres = cpu_seconds([stand.postgres()]) - before
            with database.begin(LONG_SECONDS) as tx:
                proof.prove(tx, plan.items)
                span = proof.span(tx)
            return Drained(
                items=plan.items,
                span=span,
                workers_cpu_seconds=made.cpu_seconds,
                postgres_cpu_seconds=postgres,
                megabytes=made.megabytes,
                runs=len([state for state in made.states if state]),
            )


def wake(database: Database) -> int:
    """Make the first wake run, as the sweep of any worker would."""
    job = payouts_job()
    known = job.known()
    made = database.transact(lambda tx: wakes.wake(tx, [known]))
    if not made:
        raise BrokenError("nothing is due: the payouts were not approved")
    return made[0][0]
