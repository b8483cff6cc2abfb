"""Spans: what a run and its stages took, for whoever traces; without a collector's address nobody is told.

The runner speaks to `Span` alone. Off is one object whose methods do nothing; OpenTelemetry is
imported only where it is on. A run is a trace: claim, call and settle lie inside it, on any thread.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

import structlog

Fact = str | int | float

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
"""The one for traces goes before the one for everything."""
PROTOCOL: Final = "http/protobuf"

log = structlog.get_logger(__name__)


class Span:
    """A stretch of time that may hold others; this one is told to nobody. Never raises."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    def stage(self, name: str, **facts: Fact) -> "Span":
        """Return a span inside this one, for a `with` block of any thread; it carries this one's first facts too."""
        return self

    def note(self, **facts: Fact) -> None:
        """Add what turned out since the span began."""

    def fail(self, what: str) -> None:
        """Mark the span as failed. `what` is a kind, never a message: those may tell more than a trace should."""


OFF: Final = Span()


@contextmanager
def open_tracing(environ: Mapping[str, str], *, version: str, instance: str) -> Iterator[Span]:
    """Yield what runs are stages of, sending as the OTEL_… variables say; `OFF` where they name no collector.

    What is wrong with them is logged and turns tracing off: payments go on without it.
    """
    if not is_asked_for(environ):
        yield OFF
        return
    try:
        span, close = _started(environ, version, instance)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        log.warning("tracing.off", reason=str(error))
        yield OFF
        return
    log.info("tracing.on")
    try:
        yield span
    finally:
        close()


def is_asked_for(environ: Mapping[str, str]) -> bool:
    """Whether a collector is named, and nothing says not to use it."""
    disabled = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporters = environ.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    named = any(environ.get(name, "").strip() for name in ENDPOINTS)
    return named and not disabled and "otlp" in exporters.split(",")


def _started(
    environ: Mapping[str, str], version: str, instance: str
) -> tuple[Span, Callable[[], None]]:
    protocol = next(
        (told for name in PROTOCOLS if (told := environ.get(name, "").strip())), PROTOCOL
    )
    if protocol != PROTOCOL:
        raise ValueError(f"traces are sent by {PROTOCOL} alone, not by {protocol}")
    try:
        from workers import otel  # noqa: PLC0415  whoever does not trace needs not have it
    except ModuleNotFoundError as error:
        raise ImportError(f"{error}: install requirements/otel.txt") from error
    return otel.start(version=version, instance=instance)
