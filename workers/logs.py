"""Logs: facts with identifiers, one line each; ours and every library's by one redacting way."""

import contextvars
import logging
import logging.config
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final, ParamSpec, TextIO, TypeVar
from uuid import UUID

import structlog
from structlog.typing import Processor

from workers.redaction import Redaction
from workers.settings import Settings, secrets_of

P = ParamSpec("P")
T = TypeVar("T")

QUIET: Final = (
    "apscheduler",
    "dramatiq",
    "httpcore",
    "httpx",
    "pika",
    "sqlalchemy",
    "stripe",
    "mail.log",
)
"""Libraries that tell of every step; their warnings are wanted, their steps are not."""
OWN_HANDLERS: Final = ("uvicorn", "uvicorn.error", "uvicorn.access", "dramatiq", "apscheduler")
"""Loggers that bring handlers of their own, which are taken away."""


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send everything that is logged in this process to `stream` (standard error), redacted.

    A second call replaces what the first one set up. A log that cannot be written harms nobody.
    """
    target = sys.stderr if stream is None else stream
    redaction = Redaction(secrets_of(settings))
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_described(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redaction,
                _renderer(settings, target),
            ],
        )
    )
    _route(handler, settings.log_level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_described(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def bound(
    *,
    run_id: UUID | None = None,
    job: str | None = None,
    token: int | None = None,
    correlation_id: UUID | str | None = None,
) -> AbstractContextManager[None]:
    """Put what is given on every line logged in the block, in this thread and those `carried`."""
    given = {"run_id": run_id, "job": job, "token": token, "correlation_id": correlation_id}
    return structlog.contextvars.bound_contextvars(
        **{key: value for key, value in given.items() if value is not None}
    )


def carried(function: Callable[P, T]) -> Callable[P, T]:
    """Return `function` for another thread to call, with what is bound here and now."""
    here = contextvars.copy_context()

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return here.copy().run(function, *args, **kwargs)

    return call


def _described() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _renderer(settings: Settings, target: TextIO) -> Processor:
    if settings.log_format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(
        colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


def _route(handler: logging.Handler, level: str) -> None:
    """Let the root have this one handler, and every library's logger none."""
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in OWN_HANDLERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
