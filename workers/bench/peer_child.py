"""A PgQueuer worker doing the payload of the benchmark; PgQueuer is looked for, never required."""

import asyncio
import json
import sys
from importlib import import_module
from typing import Any, Final

from db.bench import peers
from db.bench.peers import Payload
from workers.bench.child import tell

JOB: Final = "pay"
IN_FLIGHT: Final = 8
"""Settles at once, each on a connection of its own."""


def driver(connection: object) -> Any:  # noqa: ANN401  a class of a package that may be absent
    """Return PgQueuer's driver for a connection."""
    return import_module("pgqueuer.adapters.drivers.psycopg").PsycopgDriver(connection)


async def enqueue(options: dict[str, str], items: int) -> None:
    """Make PgQueuer's tables and one job for each payout."""
    async with peers.connections(options, 1) as [connection]:
        queries = import_module("pgqueuer.queries").Queries(driver(connection))
        await queries.install()
        for start in range(1, items + 1, 1000):
            ids = range(start, min(start + 1000, items + 1))
            payloads = [str(n).encode() for n in ids]
            await queries.enqueue([JOB] * len(ids), payloads, [0] * len(ids))


async def work(options: dict[str, str], batch: int) -> None:
    """Take jobs until there are none."""
    async with peers.connections(options, 2 + IN_FLIGHT) as [own, ear, *others]:
        free: asyncio.Queue[Payload] = asyncio.Queue()
        for connection in others:
            free.put_nowait(Payload(connection))
        # While its driver listens it keeps the connection to itself, for up to a second: with one
        # connection for both, its queries would mostly wait, and the comparison flatter us.
        asking, listening = driver(own), driver(ear)
        asking.add_listener = listening.add_listener
        asking.remove_listener = listening.remove_listener
        queries = import_module("pgqueuer.queries").Queries(asking)
        manager = import_module("pgqueuer.qm").QueueManager(queries)

        async def pay(job: Any) -> None:  # noqa: ANN401  PgQueuer's own class
            payload = await free.get()
            try:
                await payload.settle(int(job.payload))
            finally:
                free.put_nowait(payload)

        manager.entrypoint(JOB)(pay)
        mode = import_module("pgqueuer.types").QueueExecutionMode.drain
        tell(ready=True)
        await asyncio.to_thread(sys.stdin.readline)
        async with listening:
            await manager.run(batch_size=batch, mode=mode)


def main(argument: str) -> None:
    """Work as told: a JSON object of connection options and the size of a batch."""
    told = json.loads(argument)
    asyncio.run(work(told["options"], told["batch"]))


if __name__ == "__main__":
    main(sys.argv[1])
