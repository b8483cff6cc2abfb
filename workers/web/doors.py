"""Every door that applications ask at, on connections and counts of their own."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from starlette.routing import Route

from workers.broker import Bell
from workers.databases import open_database
from workers.metrics import Metrics
from workers.servers import Addresses
from workers.settings import Settings
from workers.web import runs
from workers.web.gate import Gate
from workers.web.limits import Limiter
from workers.web.operations.door import routes

POOL_MAX: Final = 4
"""Connections: more ask at once than look on, and each call is a transaction or two."""


@contextmanager
def open_doors(
    settings: Settings, addresses: Addresses, metrics: Metrics
) -> Iterator[Sequence[Route]]:
    """Yield the routes of the doors; what they opened is closed afterwards."""
    with ExitStack() as stack:
        database = open_database(
            settings, addresses, role="bursar_worker", application="bursar web", pool_max=POOL_MAX
        )
        stack.callback(database.dispose)
        bell = Bell(addresses.broker_url)
        stack.callback(bell.close)
        url = settings.cache_url or addresses.broker_url
        limiter = Limiter(url, fell_back=metrics.limiter_fell_back)
        stack.callback(limiter.close)
        gate = Gate(database=database, limiter=limiter)
        door = runs.Door(gate=gate, ring=lambda run, queue: bell.ring(queue, [run]))
        yield [door.route(), *routes(gate)]
