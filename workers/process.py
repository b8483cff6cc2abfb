"""The worker process: threads that take runs, the sweep, the heartbeat, and an orderly end.

SIGTERM: no new runs, no new claims; calls under way end and are settled, what had not begun is
released, and the process exits 0 within 25 s. A second SIGTERM changes nothing.
"""

import os
import threading
from contextlib import ExitStack
from typing import Final

import structlog

from db import rate_limits, switches, workers as registry
from domain.errors import ExpectedError, UnreachableError
from domain.switches import MAILS, NOTICES
from workers.broker import RunningWorker, open_broker, start_worker
from workers.composition import Process, Release, process
from workers.metrics import Metrics
from workers.servers import Addresses
from workers.settings import Settings
from workers.signals import stop_on_signals
from workers.startup import refuse_unsafe
from workers.supervisor import Beat
from workers.sweep import SweepThread

log = structlog.get_logger(__name__)

THREADS: Final = {"money": 6, "rest": 2}
"""Runs a process executes at once, by queue; above the widths of its jobs, so that none starves."""
STOP_SECONDS: Final = 23.0


def run_worker(settings: Settings, addresses: Addresses, *, release: Release | None = None) -> int:
    """Take and execute runs until SIGTERM or SIGINT; returns the exit code.

    Raises `RefusedError` on unsafe servers or a provider that is not the bound one,
    `UnreachableError` when the database does not answer.
    """
    stop = threading.Event()
    stop_on_signals(stop)
    with ExitStack() as stack:
        made = stack.enter_context(
            process(settings, addresses, application="bursar worker", stop=stop, release=release)
        )
        made.database.warm_up()
        refuse_unsafe(made.database, addresses.broker_url, settings)
        _register(made, settings)
        metrics = Metrics()
        if settings.metrics_port is not None:
            stack.callback(metrics.serve(settings.metrics_port))
        serving = start_worker(
            open_broker(addresses.broker_url),
            lambda run: _handle(made, metrics, run),
            queue_threads=THREADS,
        )
        sweep = SweepThread(made, serving)
        sweep.start()
        beat = _beat(serving, sweep)
        log.info("worker.ready", worker=made.runner.worker, jobs=sorted(made.jobs))
        stop.wait()
        return _stop(made, serving, sweep, beat)


def _handle(made: Process, metrics: Metrics, run: int) -> None:
    """Execute one run; whatever goes wrong is logged, and the sweep finds the run again."""
    try:
        if made.runner.execute(run, metrics) is not None:
            made.worked.set()
    except ExpectedError as error:
        log.warning("run.not_executed", run_id=run, error=str(error))


def _register(made: Process, settings: Settings) -> None:
    with made.database.begin() as tx:
        registry.register(tx, made.registered)
        if settings.events_url is not None:
            why = "BURSAR_EVENTS_URL is set"
            switches.turn_on_first(tx, NOTICES, who=f"worker:{made.runner.worker}", why=why)
        if settings.smtp_url is not None:
            why = "BURSAR_SMTP_URL is set"
            switches.turn_on_first(tx, MAILS, who=f"worker:{made.runner.worker}", why=why)
        for limit in {job.limit for job in made.jobs.values() if job.limit is not None}:
            if settings.gateway_rate_per_second is None:
                rate_limits.lift(tx, limit)
            else:
                rate_limits.configure(tx, limit, settings.gateway_rate_per_second)


def _beat(serving: RunningWorker, sweep: SweepThread) -> Beat | None:
    beat = Beat.from_environment(os.environ)
    if beat is not None:
        beat.start(lambda: sweep.is_alive and serving.alive())
    return beat


def _stop(made: Process, serving: RunningWorker, sweep: SweepThread, beat: Beat | None) -> int:
    log.info("worker.stopping", worker=made.runner.worker)
    ended = serving.stop(STOP_SECONDS)
    sweep.stop()
    if beat is not None:
        beat.stop()
    try:
        with made.database.begin() as tx:
            registry.gone(tx, made.runner.worker)
    except UnreachableError as error:
        log.warning("worker.not_unregistered", error=str(error))
    log.info("worker.stopped", worker=made.runner.worker, in_time=ended)
    return 0 if ended else 1
