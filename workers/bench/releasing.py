"""Seats released that nobody paid for in two days: by workers, and by a bare loop over the same database beside it."""

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from db import wakes
from db.bench import copies, stale
from db.engine import Database
from domain.appointments import RELEASE_TENTATIVE
from domain.errors import BrokenError
from jobs.bookings.release_tentative import ReleaseTentative
from workers.bench.child import Orders
from workers.bench.crew import crew
from workers.bench.load import cpu_seconds
from workers.bench.stand import LONG_SECONDS, Stand, opened
from workers.runner.bounds import Bounds

SECONDS_MAX: Final = 600.0
SET: Final = Bounds().batch_max * ReleaseTentative.sets
"""Seats of one transaction, here as there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is to be released, and by whom."""

    items: int
    """A multiple of 20."""
    processes: int = 2
    private: bool = False
    """Whether each is the only seat of its appointment, which is then cancelled with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """How one of them went."""

    seconds: float
    longest_seconds: float
    """The longest transaction: no lock was held for longer."""
    workers_cpu_seconds: float
    postgres_cpu_seconds: float


@contextmanager
def held(stand: Stand, plan: Release) -> Iterator[str]:
    """Yield the name of a database full of such seats, to be copied; nobody is connected to it."""
    with stand.database() as url:
        name = copies.name_of(url)
        with opened(url, role=None) as owner, owner.begin(LONG_SECONDS) as tx:
            stale.hold(tx, plan.items, private=plan.private)
        copies.settle(stand.share.superuser_url, name)
        yield name


def release(stand: Stand, template: str, plan: Release) -> Released:
    """Let the product release them, in a fresh copy, and prove what came of it. Raises `BrokenError`."""
    with stand.database(template) as url:
        orders = Orders(url=url, job=RELEASE_TENTATIVE)
        with crew(orders, plan.processes) as made, opened(url) as database:
            before = cpu_seconds([stand.postgres()])
            began = time.monotonic()
            made.drain(_wake(database), SECONDS_MAX)
            seconds = time.monotonic() - began
            postgres = cpu_seconds([stand.postgres()]) - before
        _prove(url, plan, bare=False)
    return Released(
        seconds=seconds,
        longest_seconds=made.longest_seconds,
        workers_cpu_seconds=made.cpu_seconds,
        postgres_cpu_seconds=postgres,
    )


def bare_seconds(stand: Stand, template: str, plan: Release) -> float:
    """How long the bare loop takes for the same, on as many connections. Raises `BrokenError`."""
    with stand.database(template) as url:
        windows = itertools.count()
        with opened(url, role=None, pool_max=plan.processes) as database:
            database.warm_up()

            def loop(_number: int) -> None:
                while (after := next(windows) * SET) < plan.items:
                    part = stale.Window(after=after, until=after + SET)
                    database.transact(lambda tx: stale.release_bare(tx, part))  # noqa: B023 - run at once

            began = time.monotonic()
            with ThreadPoolExecutor(plan.processes) as threads:
                list(threads.map(loop, range(plan.processes)))
            seconds = time.monotonic() - began
        _prove(url, plan, bare=True)
    return seconds


def _wake(database: Database) -> int:
    made = database.transact(lambda tx: wakes.wake(tx, [ReleaseTentative().known()]))
    if not made:
        raise BrokenError("no seat is due to be released")
    return made[0][0]


def _prove(url: str, plan: Release, *, bare: bool) -> None:
    with opened(url, role=None) as owner, owner.begin(LONG_SECONDS) as tx:
        stale.prove(tx, plan.items, private=plan.private, bare=bare)
