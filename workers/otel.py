"""Spans of OpenTelemetry, sent over OTLP/HTTP behind the work; the one module that knows the library.

Nothing global is set, so an application's own tracing in the same process is left alone.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Final, Self

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    StatusCode,
    Tracer,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)
from structlog.contextvars import bound_contextvars

from workers.tracing import Fact, Span

CLOSE_SECONDS: Final = 1.5
"""What a process that ends spends on its last spans; a collector that is away does not hold it up longer."""


def start(*, version: str, instance: str) -> tuple[Span, Callable[[], None]]:
    """Return what runs are stages of, and what ends the sending.

    Where to, how sampled, how many at once: OTEL_… variables, read by the library. Raises
    `ValueError` where it cannot read one.
    """
    ours = {
        "service.name": "bursar",
        "service.version": version,
        "service.instance.id": instance,
    }
    told = OTELResourceDetector().detect().attributes or {}
    provider = TracerProvider(resource=Resource.create({**ours, **told}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return beginning(provider), partial(close, provider)


def beginning(provider: TracerProvider) -> Span:
    """Return what lies in no trace: each stage of it begins one."""
    return _Beginning(provider.get_tracer("bursar"), Context(), {})


def close(provider: TracerProvider, seconds: float = CLOSE_SECONDS) -> None:
    """Send what has ended, for at most `seconds`; the library's own bound is half a minute."""
    last = threading.Thread(target=provider.shutdown, name="last-spans", daemon=True)
    last.start()
    last.join(seconds)


class _Beginning(Span):
    """Where spans begin: a tracer, the context they lie in, and the facts they carry."""

    __slots__ = ("_facts", "_inside", "_tracer")

    def __init__(self, tracer: Tracer, inside: Context, facts: Mapping[str, Fact]) -> None:
        self._tracer, self._inside, self._facts = tracer, inside, facts

    def stage(self, name: str, **facts: Fact) -> Span:
        """Return a span inside this one."""
        return _Stage(self._tracer, self._inside, {**self._facts, **facts}, name)


class _Stage(_Beginning):
    """One span. While it lasts, every line logged on its thread carries its ids."""

    __slots__ = ("_name", "_span", "_stack")

    def __init__(
        self, tracer: Tracer, inside: Context, facts: Mapping[str, Fact], name: str
    ) -> None:
        super().__init__(tracer, inside, facts)
        self._name = name

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._span = stack.enter_context(
                self._tracer.start_as_current_span(
                    self._name,
                    self._inside,
                    attributes=_named(self._facts),
                    record_exception=False,  # its message and its stack may hold what a log would mask
                    set_status_on_exception=False,
                )
            )
            ids = self._span.get_span_context()
            stack.enter_context(
                bound_contextvars(
                    trace_id=format_trace_id(ids.trace_id), span_id=format_span_id(ids.span_id)
                )
            )
            self._stack = stack.pop_all()
        self._inside = set_span_in_context(self._span, self._inside)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.fail(kind.__name__)
        self._stack.close()

    def note(self, **facts: Fact) -> None:
        """Add attributes."""
        self._span.set_attributes(_named(facts))

    def fail(self, what: str) -> None:
        """Set the status, and the attribute that says of which kind."""
        self._span.set_attribute("error.type", what)
        self._span.set_status(StatusCode.ERROR, what)


def _named(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    return {f"bursar.{name}": fact for name, fact in facts.items()}
