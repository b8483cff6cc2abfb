"""What looks at the system from outside: is it alive, is it ready, does the scheduler tick, what is measured."""

from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db import release
from db.engine import Database
from domain.errors import ExpectedError
from workers.broker_depth import depths
from workers.databases import open_database
from workers.metrics import Metrics
from workers.servers import Addresses
from workers.settings import Settings
from workers.signals import survive_stop
from workers.tick_health import late_schedules

STOP_SECONDS_MAX: Final = 5
PORT: Final = 9464
"""The port that Prometheus exporters of this kind use by custom."""
POOL_MAX: Final = 2
EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"
OK: Final = 200
UNAVAILABLE: Final = 503

Late = Callable[[Database], dict[str, float]]
"""Names schedules without a tick in their last two periods, with the age of the last (seconds)."""


def build(database: Database, metrics: Metrics, late: Late) -> Starlette:
    """Return the application: `/live`, `/ready`, `/health/scheduler`, `/metrics`."""

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

    return Starlette(
        routes=[
            Route("/live", live),
            Route("/ready", ready),
            Route("/health/scheduler", scheduler),
            Route("/metrics", measured),
        ]
    )


def serve(app: Starlette, *, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT, then answer what is under way for at most 5 s."""
    uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS_MAX,
        )
    ).run()


def _unready(database: Database) -> str | None:
    """Return why no traffic should come here, or None."""
    try:
        if release.is_behind(database):
            return "the schema is not at head: run `bursar migrate`"
    except ExpectedError as error:
        return str(error)
    return None


def run_web(settings: Settings, addresses: Addresses, *, host: str, port: int | None) -> None:
    """Serve health and metrics until SIGTERM; afterwards no connection is left."""
    survive_stop()
    database = open_database(
        settings, addresses, role="bursar_worker", application="bursar web", pool_max=POOL_MAX
    )
    try:
        metrics = Metrics()
        metrics.watch(database, lambda: depths(addresses.broker_url))
        app = build(database, metrics, late_schedules)
        serve(app, host=host, port=PORT if port is None else port)
    finally:
        database.dispose()
