"""The web process: its connections, its addresses, its server, and an orderly end."""

from collections.abc import Sequence
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from db.engine import Database
from workers.broker_depth import depths
from workers.databases import open_database
from workers.metrics import Metrics
from workers.servers import Addresses
from workers.settings import Settings
from workers.signals import survive_stop
from workers.tick_health import late_schedules
from workers.web.doors import open_doors
from workers.web.health import Late, routes
from workers.web.webhooks import open_receiver

STOP_SECONDS_MAX: Final = 5
PORT: Final = 9464
"""The port that Prometheus exporters of this kind use by custom."""
POOL_MAX: Final = 2
"""Connections for those who look on; webhooks and applications have their own."""


def build(
    database: Database, metrics: Metrics, late: Late, doors: Sequence[Route] = ()
) -> Starlette:
    """Return the application: health, metrics, and `doors`, which let somebody in."""
    return Starlette(routes=[*routes(database, metrics, late), *doors])


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


def run_web(settings: Settings, addresses: Addresses, *, host: str, port: int | None) -> None:
    """Serve health, metrics, webhooks and what applications ask for until SIGTERM; afterwards no connection is left."""
    survive_stop()
    database = open_database(
        settings, addresses, role="bursar_worker", application="bursar web", pool_max=POOL_MAX
    )
    metrics = Metrics()
    try:
        metrics.watch(database, lambda: depths(addresses.broker_url))
        with (
            open_receiver(settings, addresses, metrics) as receiver,
            open_doors(settings, addresses, metrics) as doors,
        ):
            app = build(database, metrics, late_schedules, [receiver.route(), *doors])
            serve(app, host=host, port=PORT if port is None else port)
    finally:
        database.dispose()
