"""Health and metrics as a load balancer and Prometheus see them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from structlog.testing import capture_logs

from db import clock, ticks
from db.engine import Database, DatabaseOptions
from domain.errors import UnreachableError
from schedules.timetable import TIMETABLE
from tests.workers.web.webs import serving
from workers.metrics import Metrics
from workers.tick_health import late_schedules
from workers.web.health import routes


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The test's database as its owner, so that a test may set what it needs."""
    made = Database(DatabaseOptions(url=database_url, role=None, pool_max=2))
    yield made
    made.dispose()


@pytest.fixture
def away() -> Iterator[Database]:
    """A database that does not answer."""
    made = Database(DatabaseOptions(url="postgresql://u@127.0.0.1:1/x"))
    yield made
    made.dispose()


@contextmanager
def asked(database: Database) -> Iterator[httpx.Client]:
    """The web process on a port of its own."""
    metrics = Metrics()
    metrics.watch(database, lambda: {"money": 3})
    app = Starlette(routes=routes(database, metrics, late_schedules))
    with (
        serving(app) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client,
    ):
        yield client


@pytest.fixture
def client_of() -> Iterator[Callable[[Database], httpx.Client]]:
    """Start web processes for databases; all of them end with the test."""
    with ExitStack() as stack:
        yield lambda database: stack.enter_context(asked(database))


Web = Callable[[Database], httpx.Client]


def see_all(database: Database) -> None:
    """What a scheduler does when it starts."""
    with database.begin() as tx:
        ticks.see(tx, [(line.name, str(line.rhythm)) for line in TIMETABLE])


def test_a_process_is_alive_without_its_database_and_not_ready(
    away: Database, client_of: Web
) -> None:
    client = client_of(away)
    assert client.get("/live").status_code == 200
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["reason"]


def test_ready_means_reachable_and_migrated(database: Database, client_of: Web) -> None:
    assert client_of(database).get("/ready").json() == {"ready": True, "reason": None}


def test_an_unmigrated_database_is_not_ready_and_says_what_to_run(
    empty_database_url: str, client_of: Web
) -> None:
    made = Database(DatabaseOptions(url=empty_database_url, role=None))
    try:
        answer = client_of(made).get("/ready")
        assert answer.status_code == 503
        assert "bursar migrate" in answer.json()["reason"]
    finally:
        made.dispose()


def test_a_scheduler_that_never_ran_is_unhealthy(database: Database, client_of: Web) -> None:
    answer = client_of(database).get("/health/scheduler")
    assert answer.status_code == 503
    assert set(answer.json()["late_seconds"]) == {line.name for line in TIMETABLE}


def test_a_scheduler_is_healthy_until_two_periods_passed_unrecorded(
    database: Database, client_of: Web
) -> None:
    see_all(database)
    client = client_of(database)
    assert client.get("/health/scheduler").status_code == 200
    with database.begin() as tx:
        behind = clock.now(tx) - timedelta(minutes=11)
        tx.run(
            sa.text("""UPDATE schedule_progress SET accounted_until = :behind
                       WHERE schedule = 'payouts.recover'"""),
            behind=behind,
        )
    answer = client.get("/health/scheduler")
    assert answer.status_code == 503
    assert list(answer.json()["late_seconds"]) == ["payouts.recover"]


def test_metrics_tell_of_the_whole_system(database: Database, client_of: Web) -> None:
    with database.begin() as tx:
        tx.run(
            sa.text("""INSERT INTO catalog (job, queue, shape, version, summary)
                       VALUES ('a.b', 'money', 'drain', 1, 's')""")
        )
        tx.run(
            sa.text("""INSERT INTO work (job, subject, due_at, parked_reason)
                       SELECT 'a.b', gen_random_uuid(), d.at, d.why FROM (VALUES
                         (clock_timestamp() - interval '90 seconds', NULL),
                         (clock_timestamp() + interval '1 hour', NULL),
                         ('infinity', 'three claims'), ('infinity', 'three claims')) AS d (at, why)""")
        )
    text = client_of(database).get("/metrics", timeout=60).text
    assert "bursar_database_up 1.0" in text
    assert 'bursar_parked{job="a.b"} 2.0' in text
    assert 'bursar_broker_depth{queue="money"} 3.0' in text
    oldest = next(
        line for line in text.splitlines() if line.startswith("bursar_oldest_due_seconds{")
    )
    assert 85 < float(oldest.split()[-1]) < 120


def test_metrics_say_so_when_a_server_is_away(
    away: Database, database: Database, client_of: Web
) -> None:
    assert "bursar_database_up 0.0" in client_of(away).get("/metrics", timeout=60).text

    def no_broker() -> dict[str, int]:
        raise UnreachableError("Redis does not answer")

    metrics = Metrics()
    metrics.watch(database, no_broker)
    assert "bursar_broker_up 0.0" in metrics.exposition().decode()


def test_a_process_counts_runs_and_items_by_outcome() -> None:
    metrics = Metrics()
    metrics.run_started("a.b", 0.004)
    metrics.run_ended(
        "a.b", "succeeded", {"processed": 3, "succeeded": 2, "unknown": 1, "fenced": 4}
    )
    text = metrics.exposition().decode()
    assert 'bursar_runs_total{job="a.b",outcome="succeeded"} 1.0' in text
    assert 'bursar_items_total{job="a.b",outcome="unknown"} 1.0' in text
    assert 'outcome="processed"' not in text
    assert 'bursar_fenced_settles_total{job="a.b"} 4.0' in text
    assert 'bursar_due_to_start_seconds_bucket{job="a.b",le="0.005"} 1.0' in text


def test_two_processes_of_one_host_serve_their_metrics_beside_each_other() -> None:
    first, second = Metrics(), Metrics()
    first.run_ended("a.first", "succeeded", {})
    second.run_ended("a.second", "succeeded", {})
    with capture_logs() as told, ExitStack() as served:
        for metrics in (first, second):
            served.callback(metrics.serve(29464))
        ports = [entry["port"] for entry in told if entry["event"] == "metrics.listening"]
        texts = [httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text for port in ports]
    assert [("a.first" in text, "a.second" in text) for text in texts] == [
        (True, False),
        (False, True),
    ]
