"""Put a process together: its database, its bank, its jobs, its runner. The only place that knows them all."""

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version

from db.engine import Database
from jobs.catalog import Ports, build
from jobs.shapes import Job
from workers.alerts import open_alerts
from workers.banks import open_bank
from workers.broker import Bell
from workers.databases import open_database
from workers.runner.bounds import Bounds
from workers.runner.execute import Runner
from workers.servers import Addresses
from workers.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Everything a process that executes runs holds open."""

    database: Database
    jobs: dict[str, Job]
    runner: Runner
    bell: Bell


def worker_name() -> str:
    """host:pid:start, unique as long as a host does not reuse a pid within a second."""
    with open("/proc/self/stat", encoding="ascii") as stat:
        started = stat.read().rpartition(")")[2].split()[19]
    return f"{socket.gethostname()}:{os.getpid()}:{started}"


def bounds(settings: Settings) -> Bounds:
    """The bounds of this process's runs. Raises `BadInputError` when a call could outlive its lease."""
    made = Bounds(
        lease_seconds=settings.lease_seconds,
        call_seconds_max=settings.gateway_timeout_seconds,
        batch_max=settings.batch_max,
        concurrency=settings.concurrency,
    )
    made.check()
    return made


def ring_with(bell: Bell, runs: Sequence[tuple[int, str]]) -> None:
    """Ring once per queue for runs just committed."""
    for queue in {queue for _, queue in runs}:
        bell.ring(queue, [run for run, q in runs if q == queue])


@contextmanager
def process(settings: Settings, addresses: Addresses, *, application: str, stop: threading.Event) -> Iterator[Process]:
    """Yield a process's parts, with nothing connected yet; all of it is closed afterwards."""
    with ExitStack() as stack:
        database = open_database(settings, addresses, role="bursar_worker", application=application)
        stack.callback(database.dispose)
        bell = Bell(addresses.broker_url)
        stack.callback(bell.close)
        ports = Ports(
            bank=stack.enter_context(open_bank(settings)),
            alerts=stack.enter_context(open_alerts(settings)),
            call_seconds_max=settings.gateway_timeout_seconds,
            recover_seconds=settings.recover_seconds,
        )
        jobs = build(ports)
        runner = Runner(
            database=database,
            jobs=jobs,
            bounds=bounds(settings),
            worker=worker_name(),
            ring=lambda made: ring_with(bell, made),
            stop=stop,
        )
        yield Process(database=database, jobs=jobs, runner=runner, bell=bell)


def code_version() -> str:
    """The installed version of this code."""
    return version("bursar")
