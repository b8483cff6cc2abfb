"""The same body for peers whose jobs are coroutines: the same statements through asyncpg, the faster driver."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from tests.bench import gateway
from tests.bench.body import SETTLE, STRIPES
from tests.bench.world import told

_SETTLE: Final = SETTLE.format(payout="$1", stripe="$2")


class Payer:
    """Pays on connections of its own, as many at once as the world has threads for each process."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._permits = asyncio.Semaphore(told().threads)

    async def pay_leased(self, payout: int) -> None:
        """Call the gateway and settle: the queue's own row for the job is the lease."""
        if told().only_note:
            gateway.note(payout)
            return
        async with self._permits:
            await gateway.call_async(payout)
            async with self._pool.acquire() as connection:
                stripe = connection.get_server_pid() % STRIPES
                await connection.execute(_SETTLE, payout, stripe)


@asynccontextmanager
async def payer() -> AsyncIterator[Payer]:
    """Yield a payer; its connections are closed afterwards."""
    threads = told().threads
    async with asyncpg.create_pool(**told().asyncpg, min_size=threads, max_size=threads) as pool:
        yield Payer(pool)
