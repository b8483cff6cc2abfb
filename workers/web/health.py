"""What looks at the system from outside: is it alive, is it ready, does the scheduler tick, what is measured."""

from collections.abc import Callable
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db import release
from db.engine import Database
from domain.errors import ExpectedError
from workers.metrics import Metrics

EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"
OK: Final = 200
UNAVAILABLE: Final = 503

Late = Callable[[Database], dict[str, float]]
"""Names schedules without a tick in their last two periods, with the age of the last (seconds)."""


def routes(database: Database, metrics: Metrics, late: Late) -> list[Route]:
    """Return `/live`, `/ready`, `/health/scheduler` and `/metrics`."""

    async def live(_request: Request) -> Response:
        return JSONResponse({"live": True})

    async def ready(_request: Request) -> Response:
        reason = await run_in_threadpool(_unready, database)
        body = {"ready": reason is None, "reason": reason}
        return JSONResponse(body, OK if reason is None else UNAVAILABLE)

    async def scheduler(_request: Request) -> Response:
        try:
            found = await run_in_threadpool(late, database)
        except ExpectedError as error:
            return JSONResponse({"healthy": False, "reason": str(error)}, UNAVAILABLE)
        body = {"healthy": not found, "late_seconds": found}
        return JSONResponse(body, UNAVAILABLE if found else OK)

    async def measured(_request: Request) -> Response:
        return Response(await run_in_threadpool(metrics.exposition), media_type=EXPOSITION)

    return [
        Route("/live", live),
        Route("/ready", ready),
        Route("/health/scheduler", scheduler),
        Route("/metrics", measured),
    ]


def _unready(database: Database) -> str | None:
    """Return why no traffic should come here, or None."""
    try:
        if release.is_behind(database):
            return "the schema is not at head: run `bursar migrate`"
    except ExpectedError as error:
        return str(error)
    return None
