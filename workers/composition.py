"""Put a process together: its database, its bank, its jobs, its runner. The only place that knows them all."""

import gc
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version

import psutil

from db.engine import Database
from db.workers import Worker
from domain.batching import BatchPolicy
from domain.waitlist import OfferPolicy
from jobs.catalog import Ports, build
from jobs.shapes import Job
from workers.alerts import open_alerts
from workers.banks import open_bank
from workers.broker import Bell
from workers.databases import open_database
from workers.gateways.events import open_events
from workers.lives import own_life
from workers.mail.smtp import open_mail
from workers.payments import open_payments
from workers.runner.bounds import Bounds
from workers.runner.execute import Runner
from workers.servers import Addresses
from workers.settings import Settings
from workers.tracing import open_tracing


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Everything a process that executes runs holds open."""

    database: Database
    jobs: dict[str, Job]
    runner: Runner
    bell: Bell
    registered: Worker
    """What others are told of this process."""
    worked: threading.Event = field(default_factory=threading.Event)
    """Set when a run was executed; the heartbeat clears it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a process says it is, and the jobs it knows."""

    version: str
    build: Callable[[Ports], dict[str, Job]]


def this_release() -> Release:
    """Return what this code is."""
    return Release(version=version("bursar"), build=build)


def calm_collector() -> None:
    """Let the garbage collector alone with what start-up made, and look at the rest seldom.

    A set of items is thousands of short-lived values without cycles: looking for them at every 700th
    costs a tenth of the work.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def worker_name() -> str:
    """host:pid:life, unique; the start in seconds where the kernel tells no life."""
    life = own_life() or f"{psutil.Process().create_time():.0f}"
    return f"{socket.gethostname()}:{os.getpid()}:{life}"


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


def batch_policy(settings: Settings) -> BatchPolicy:
    """What a batch of payouts obeys here."""
    return BatchPolicy(
        minimum_minor=settings.payout_minimum_minor,
        auto_approve_below_minor=settings.auto_approve_below_minor,
    )


def offer_policy(settings: Settings) -> OfferPolicy:
    """How long freed places are held here."""
    return OfferPolicy(
        offered_for=timedelta(seconds=settings.offer_seconds),
        reminded_before=timedelta(seconds=settings.offer_reminder_seconds),
    )


def ring_with(bell: Bell, runs: Sequence[tuple[int, str]]) -> None:
    """Ring once per queue for runs just committed."""
    for queue in {queue for _, queue in runs}:
        bell.ring(queue, [run for run, q in runs if q == queue])


@contextmanager
def process(
    settings: Settings,
    addresses: Addresses,
    *,
    application: str,
    stop: threading.Event,
    release: Release | None = None,
) -> Iterator[Process]:
    """Yield a process's parts, with nothing connected yet; all of it is closed afterwards."""
    known = release or this_release()
    with ExitStack() as stack:
        database = open_database(settings, addresses, role="bursar_worker", application=application)
        stack.callback(database.dispose)
        bell = Bell(addresses.broker_url)
        stack.callback(bell.close)
        ports = Ports(
            bank=stack.enter_context(open_bank(settings)),
            payments=stack.enter_context(open_payments(settings)),
            alerts=stack.enter_context(open_alerts(settings)),
            events=stack.enter_context(open_events(settings)),
            mail=stack.enter_context(open_mail(settings)),
            hears=bool(settings.payout_webhook_secrets),
            call_seconds_max=settings.gateway_timeout_seconds,
            recover_seconds=settings.recover_seconds,
            heal_seconds=settings.heal_seconds,
            withholding=settings.withholding,
            batch=batch_policy(settings),
            offers=offer_policy(settings),
        )
        jobs = known.build(ports)
        name = worker_name()
        runner = Runner(
            database=database,
            jobs=jobs,
            bounds=bounds(settings),
            worker=name,
            ring=lambda made: ring_with(bell, made),
            stop=stop,
            tracing=stack.enter_context(
                open_tracing(os.environ, version=known.version, instance=name)
            ),
        )
        registered = Worker(
            id=name,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=known.version,
            jobs=sorted(jobs),
            versions=[jobs[name].version for name in sorted(jobs)],
        )
        calm_collector()
        yield Process(database=database, jobs=jobs, runner=runner, bell=bell, registered=registered)
