"""Tracing is off, and costs no import, until a collector is named; then spans reach it over HTTP."""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from domain.payouts import PROCESS
from tests.builders import house, seed
from workers.tracing import OFF, is_asked_for, open_tracing

ROOT = Path(__file__).parents[2]
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SECONDS_MAX = 180


@dataclass
class Collector:
    """A real HTTP server on loopback that takes what OTLP sends."""

    url: str
    got: queue.SimpleQueue[tuple[str, ExportTraceServiceRequest]] = field(
        default_factory=queue.SimpleQueue
    )

    def spans(self) -> Iterator[tuple[str, str, str]]:
        """Yield the service, the name and the trace of each span, as they come."""
        while True:
            path, request = self.got.get(timeout=SECONDS_MAX)
            assert path == "/v1/traces"
            for of_resource in request.resource_spans:
                told = {a.key: a.value.string_value for a in of_resource.resource.attributes}
                for scope in of_resource.scope_spans:
                    for span in scope.spans:
                        yield told["service.name"], span.name, span.trace_id.hex()


@pytest.fixture
def collector() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            made.got.put((self.path, ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Collector(url=f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _not_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may trace; they must not be told."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("environ", "asked"),
    [
        ({}, False),
        ({ENDPOINT: " "}, False),
        ({"OTEL_SERVICE_NAME": "payments"}, False),
        ({ENDPOINT: "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({ENDPOINT: "http://collector:4318", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({ENDPOINT: "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({ENDPOINT: "http://collector:4318", "OTEL_TRACES_EXPORTER": "console,otlp"}, True),
    ],
)
def test_tracing_is_asked_for_by_naming_a_collector(
    environ: dict[str, str], *, asked: bool
) -> None:
    assert is_asked_for(environ) is asked


def test_without_a_collector_runs_are_stages_of_nothing() -> None:
    with open_tracing({}, version="1", instance="here:1:1") as tracing:
        assert tracing is OFF
        with tracing.stage("run", run_id=1) as span, span.stage("claim") as stage:
            stage.note(items=1)
            stage.fail("LookupError")
        assert span is stage is OFF


def test_what_happens_in_a_span_that_nobody_is_told_of_is_still_raised() -> None:
    with pytest.raises(LookupError), OFF.stage("claim"):
        raise LookupError


def test_a_worker_that_does_not_trace_needs_no_opentelemetry() -> None:
    """Nothing of ours imports it, and where it is not installed a named collector is only a warning."""
    program = f"""
import sys
sys.modules["opentelemetry"] = None
import workers.process
from workers.tracing import OFF, open_tracing
for environ in ({{}}, {{"{ENDPOINT}": "http://127.0.0.1:9"}}):
    with open_tracing(environ, version="1", instance="here:1:1") as tracing:
        assert tracing is OFF
assert "workers.otel" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("tracing.off") == 1
    assert "requirements/otel.txt" in done.stdout


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf alone"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "max_queue_size"),
    ],
)
def test_variables_that_cannot_be_followed_are_told_and_work_goes_on(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setenv(name, value)
    with (
        structlog.testing.capture_logs() as lines,
        open_tracing(os.environ, version="1", instance="here:1:1") as tracing,
    ):
        assert tracing is OFF

    [line] = lines
    assert (line["event"], told in line["reason"]) == ("tracing.off", True)


def test_a_runs_spans_reach_the_collector(
    database_url: str, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT, collector.url)
    seed(database_url, 3)
    with (
        open_tracing(os.environ, version="1", instance="here:1:1") as tracing,
        house(database_url) as home,
    ):
        home.tracing = tracing
        home.run(PROCESS)

    found = set()
    for service, name, _ in collector.spans():
        found.add((service, name))
        if name == f"run {PROCESS}":
            break
    assert found == {("bursar", n) for n in ("claim", "call", "settle", f"run {PROCESS}")}


def test_a_worker_process_tells_its_runs_and_logs_their_traces(
    database_url: str, redis_url: str, collector: Collector
) -> None:
    """A process as operators start it, which watches by itself; named as they name it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BURSAR_")}
    with subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "worker"],
        cwd=ROOT,
        env={
            **clean,
            "BURSAR_DATABASE_URL": database_url,
            "BURSAR_BROKER_URL": redis_url,
            "OTEL_SERVICE_NAME": "payments",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            ENDPOINT: collector.url,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as worker:
        try:
            watched = next(s for s in collector.spans() if s[1] == "run upkeep.watch")
            worker.terminate()
            said, _ = worker.communicate(timeout=SECONDS_MAX)
        finally:
            worker.kill()

    assert worker.returncode == 0, said
    assert watched[0] == "payments"
    [ended] = [line for line in said.splitlines() if '"run.ended"' in line and watched[2] in line]
    assert "upkeep.watch" in ended
