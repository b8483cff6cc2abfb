"""A run is one trace: claim, call and settle inside it, with ids on every log line, and nothing secret told."""

import threading
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, get_current_span, get_tracer_provider

from db.payouts.claim import Sending
from domain.answers import Answer
from domain.payouts import FOLLOW, PROCESS
from domain.ports import FrozenRequest
from tests.builders import House, house, hurry, seed
from tests.fakes.bank import FakeBank
from tests.workers.runner.banks import RaisingBank
from workers import otel

RUN = f"run {PROCESS}"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Traced:
    """What a run made under tracing has told."""

    kept: InMemorySpanExporter

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.kept.get_finished_spans() if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        [span] = self.named(name)
        return span

    def told(self) -> str:
        return "".join(span.to_json() for span in self.kept.get_finished_spans())


def facts(span: ReadableSpan) -> dict[str, Any]:
    """A span's attributes without their prefix."""
    return {name.removeprefix("bursar."): fact for name, fact in (span.attributes or {}).items()}


def ids(span: ReadableSpan) -> tuple[str, str]:
    """A span's trace and its own id, as logs carry them."""
    assert span.context is not None
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"


@pytest.fixture
def traced() -> Traced:
    """Where spans go."""
    return Traced(kept=InMemorySpanExporter())


@pytest.fixture
def lines() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged, with what is bound to it."""
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as found:
        yield found


def traces(home: House, traced: Traced) -> None:
    """Let the house's runs be told."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(traced.kept))
    home.tracing = otel.beginning(provider)


def test_a_run_is_one_trace_with_its_stages_inside(database_url: str, traced: Traced) -> None:
    seed(database_url, 5)
    with house(database_url) as home:
        traces(home, traced)
        ended = home.run(PROCESS)

    run = traced.one(RUN)
    stages = [span for span in traced.kept.get_finished_spans() if span is not run]
    assert run.parent is None
    assert {span.name for span in stages} == {"claim", "call", "settle"}
    assert {span.parent.span_id for span in stages if span.parent} == {int(ids(run)[1], 16)}
    assert {ids(span)[0] for span in stages} == {ids(run)[0]}
    same = {"run_id": ended.id, "job": PROCESS, "origin": "operator"}
    assert all(same.items() <= facts(span).items() for span in stages)
    assert facts(run) == {**same, "outcome": "succeeded", "processed": 5, "succeeded": 5}


def test_stages_say_how_many_items(database_url: str, traced: Traced) -> None:
    seed(database_url, 5)
    with house(database_url) as home:
        traces(home, traced)
        home.run(PROCESS)

    for name in ("claim", "call", "settle"):
        assert sum(facts(span)["items"] for span in traced.named(name)) == 5
    assert {facts(span)["fenced"] for span in traced.named("settle")} == {0}


def test_two_runs_are_two_traces(database_url: str, traced: Traced) -> None:
    seed(database_url, 2)
    with house(database_url) as home:
        traces(home, traced)
        home.run(PROCESS)
        hurry(home.database)
        home.run(FOLLOW)

    assert ids(traced.one(RUN))[0] != ids(traced.one(f"run {FOLLOW}"))[0]


def test_log_lines_carry_the_ids_of_the_span_they_were_logged_in(
    database_url: str, traced: Traced, lines: list[MutableMapping[str, Any]]
) -> None:
    """On the run's own thread and on those that call; `effect.broke` is logged in the call."""
    seed(database_url, 1)
    with house(database_url, RaisingBank(lambda _: True)) as home:
        traces(home, traced)
        home.run(PROCESS)
    log.info("outside.any")

    by_event = {line["event"]: (line.get("trace_id"), line.get("span_id")) for line in lines}
    assert by_event["run.ended"] == ids(traced.one(RUN))
    assert by_event["effect.broke"] == ids(traced.one("call"))
    assert by_event["outside.any"] == (None, None)


def test_an_applications_own_span_lies_in_the_call(database_url: str, traced: Traced) -> None:
    """Whoever instruments the HTTP client sees its requests inside ours."""
    seen = []

    class Instrumented(FakeBank):
        def submit(self, request: FrozenRequest) -> Answer:
            seen.append(f"{get_current_span().get_span_context().span_id:016x}")
            return super().submit(request)

    seed(database_url, 1)
    with house(database_url, Instrumented()) as home:
        traces(home, traced)
        home.run(PROCESS)

    assert seen == [ids(traced.one("call"))[1]]


def test_what_breaks_is_marked_by_its_kind_and_its_message_is_not_told(
    database_url: str, traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> list[Sending]:
        raise LookupError("hunter22")

    seed(database_url, 1)
    with house(database_url, budget_seconds=1.5) as home:
        traces(home, traced)
        monkeypatch.setattr(type(home.jobs[PROCESS]), "claim", refuse)
        home.run(PROCESS)

    claim, run = traced.named("claim")[-1], traced.one(RUN)
    assert (claim.status.status_code, facts(claim)["error.type"]) == (
        StatusCode.ERROR,
        "LookupError",
    )
    assert (run.status.status_code, facts(run)["outcome"]) == (StatusCode.ERROR, "failed")
    assert "hunter22" not in traced.told()


def test_no_span_names_a_payee_or_a_key(database_url: str, traced: Traced) -> None:
    seed(database_url, 3)
    with house(database_url) as home:
        traces(home, traced)
        home.run(PROCESS)
        sent = [secret for each in home.bank.submits for secret in (each.key, each.reference)]

    assert len(sent) == 6
    assert [secret for secret in (*sent, "payee", "fa_") if secret in traced.told()] == []


def test_a_collector_that_hangs_does_not_hold_up_the_end() -> None:
    asked, answers = threading.Event(), threading.Event()

    class Hanging(SpanExporter):
        def export(self, spans: object) -> SpanExportResult:
            return SpanExportResult.SUCCESS

        def shutdown(self) -> None:
            asked.set()
            answers.wait(60)

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(Hanging()))
    otel.close(provider, seconds=0.05)

    assert asked.wait(60)
    assert not answers.is_set()
    answers.set()


def test_nothing_global_is_set() -> None:
    """An application's own provider in the same process stays what it was."""
    before = get_tracer_provider()
    _, close = otel.start(version="1", instance="here:1:1")
    close()

    assert get_tracer_provider() is before
