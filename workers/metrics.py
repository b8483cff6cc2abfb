"""What is measured: counters a process keeps while it works, gauges read from the database when asked.

Nothing registers itself: a process makes one `Metrics` and passes it on. Counters are per process;
what must be true of the whole system is read from Postgres, so every scrape tells the same.
"""

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from threading import Thread
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from db import gauges
from db.engine import Database
from db.tx import Row
from domain.errors import ExpectedError, UnreachableError

DUE_TO_START_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 300.0)
PORTS_MAX = 16
log = structlog.get_logger(__name__)
Depths = Callable[[], Mapping[str, int]]
"""Messages waiting in the broker, by queue; raises `ExpectedError` where it does not answer."""


class Metrics:
    """The counters of one process. Every method is cheap and thread-safe."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._due_to_start = Histogram(
            "bursar_due_to_start_seconds",
            "From a run's due time to its first statement.",
            ("job",),
            buckets=DUE_TO_START_SECONDS,
            registry=self.registry,
        )
        self._runs = self._counter("bursar_runs", "Runs that ended here.", "job", "outcome")
        self._items = self._counter(
            "bursar_items", "Items by what became of them.", "job", "outcome"
        )
        self._takeovers = self._counter(
            "bursar_takeovers", "Claims of items that another left.", "job"
        )
        self._fenced = self._counter(
            "bursar_fenced_settles", "Answers refused by their token.", "job"
        )
        self._webhooks = self._counter(
            "bursar_webhooks", "Webhooks by what became of them.", "provider", "outcome"
        )
        self._rings = self._counter("bursar_lost_wakeups", "Wake-ups that were not sent.", "queue")

        self._fallbacks = Counter(
            "bursar_limiter_fallbacks",
            "Calls counted by this process alone, since Redis was away.",
            registry=self.registry,
        )

    def run_started(self, job: str, due_to_start_seconds: float) -> None:
        """A run began so long after it was due."""
        self._due_to_start.labels(job).observe(max(0.0, due_to_start_seconds))

    def run_ended(self, job: str, outcome: str, tally: Mapping[str, int]) -> None:
        """A run ended; `tally` holds its counts by name."""
        self._runs.labels(job, outcome).inc()
        for name, count in tally.items():
            if count and name != "processed":
                self._items.labels(job, str(name)).inc(count)
        if tally.get("fenced"):
            self._fenced.labels(job).inc(tally["fenced"])

    def took_over(self, job: str, items: int = 1) -> None:
        """Items were claimed whose last holder never settled them."""
        self._takeovers.labels(job).inc(items)

    def lost_wakeups(self, queue: str, count: int) -> None:
        """Wake-ups could not be sent; the sweep finds their runs."""
        self._rings.labels(queue).inc(count)

    def webhook(self, provider: str, outcome: str) -> None:
        """A webhook was answered."""
        self._webhooks.labels(provider, outcome).inc()

    def limiter_fell_back(self) -> None:
        """A call was counted here alone: the Redis of the rate limits is away."""
        self._fallbacks.inc()

    def watch(self, database: Database, depths: Depths | None = None) -> None:
        """Add the gauges of the whole system, read from the database at every scrape."""
        self.registry.register(_Gauges(database, depths))

    def gauge(self, name: str, help_text: str) -> Gauge:
        """Return a gauge of this process's own."""
        return Gauge(name, help_text, registry=self.registry)

    def exposition(self) -> bytes:
        """Return everything as Prometheus reads it."""
        return generate_latest(self.registry)

    def serve(self, port: int) -> Callable[[], None]:
        """Serve the counters on `port` of every interface; returns what stops it.

        Where another process of this host has the port, the next free of 16 is taken and told.
        """
        server, thread = _listen(port, self.registry)
        log.info("metrics.listening", port=server.server_port)

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return stop

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(name, help_text, labels, registry=self.registry)


def _listen(port: int, registry: CollectorRegistry) -> tuple[WSGIServer, Thread]:
    for candidate in range(port, port + PORTS_MAX):
        try:
            return start_http_server(candidate, registry=registry)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not port:
                raise UnreachableError(
                    f"metrics cannot be served on port {port}: {error}"
                ) from error
    last = port + PORTS_MAX - 1
    raise UnreachableError(
        f"ports {port} to {last} are all taken: set BURSAR_METRICS_PORT to another"
    )


class _Gauges(Collector):
    """Reads the gauges in one short transaction; a database that is away is a gauge too."""

    def __init__(self, database: Database, depths: Depths | None) -> None:
        self._database = database
        self._depths = depths

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: registering must not ask the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield every gauge."""
        up = GaugeMetricFamily("bursar_database_up", "1 where the database answered this scrape.")
        try:
            found = self._read()
        except ExpectedError:
            up.add_metric((), 0)
            yield up
            return
        up.add_metric((), 1)
        yield up
        yield from found
        if self._depths is not None:
            yield from _depths(self._depths)

    def _read(self) -> list[Metric]:
        with self._database.begin() as tx:
            jobs = gauges.by_job(tx)
            unknown = gauges.unknown(tx)
            waiting = gauges.waiting_runs(tx)
            missed = gauges.missed_ticks(tx)
            findings = gauges.open_findings(tx)
            workers = gauges.live_workers(tx)
            events = gauges.newest_event(tx)
            before = datetime.now(UTC)
            skew_seconds = (gauges.clock(tx) - before).total_seconds()
        return [
            *_of_jobs(jobs),
            *_of_unknown(unknown),
            *_of_queues(waiting),
            _family(
                "missed_ticks",
                "Ticks of the last day recorded too late.",
                "schedule",
                ((m.schedule, m.items) for m in missed),
            ),
            _family(
                "open_findings",
                "Findings nobody resolved.",
                "severity",
                ((f.severity, f.items) for f in findings),
            ),
            _single("live_workers", "Worker processes that said so lately.", workers),
            *_of_events(events),
            _single(
                "clock_skew_seconds", "The database's clock less this process's.", skew_seconds
            ),
        ]


def _of_jobs(rows: Sequence[Row]) -> Iterator[Metric]:
    oldest = ((row.job, row.oldest_due_seconds) for row in rows)
    yield _family("oldest_due_seconds", "Age of the oldest ready work.", "job", oldest)
    parked = ((row.job, row.parked) for row in rows)
    yield _family("parked", "Work that waits for a person.", "job", parked)


def _of_unknown(rows: Sequence[Row]) -> Iterator[Metric]:
    items = ((row.currency, row.items) for row in rows)
    yield _family("unknown_effects", "Payouts of which nobody knows.", "currency", items)
    sums = ((row.currency, row.amount_minor) for row in rows)
    yield _family("unknown_effects_minor", "Their sum in minor units.", "currency", sums)


def _of_queues(rows: Sequence[Row]) -> Iterator[Metric]:
    waiting = ((row.queue, row.waiting) for row in rows)
    yield _family("waiting_runs", "Runs due and not taken.", "queue", waiting)
    oldest = ((row.queue, row.oldest_seconds) for row in rows)
    yield _family("oldest_waiting_run_seconds", "How long the oldest waits.", "queue", oldest)


def _of_events(age_seconds: float | None) -> Iterator[Metric]:
    if age_seconds is not None:
        help_text = "How long ago the last event of a provider came."
        yield _single("newest_webhook_age_seconds", help_text, age_seconds)


def _depths(depths: Depths) -> Iterator[Metric]:
    try:
        found = depths()
    except ExpectedError:
        yield _single("broker_up", "1 where the broker answered this scrape.", 0)
        return
    yield _single("broker_up", "1 where the broker answered this scrape.", 1)
    yield _family("broker_depth", "Wake-ups waiting in the broker.", "queue", found.items())


def _family(name: str, help_text: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(f"bursar_{name}", help_text, labels=(label,))
    for value, number in values:
        family.add_metric((value,), float(number))
    return family


def _single(name: str, help_text: str, number: float) -> Metric:
    family = GaugeMetricFamily(f"bursar_{name}", help_text)
    family.add_metric((), number)
    return family
