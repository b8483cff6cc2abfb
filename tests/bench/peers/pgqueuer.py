"""PgQueuer: jobs in Postgres, coroutines, asyncpg; run by a program, as its own command needs an older typer."""

import asyncio
import signal
import sys
from collections.abc import Sequence

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from tests.bench.body_async import payer
from tests.bench.peers.desk import serve
from tests.bench.world import told

SET = 1_000


async def work(batch: int) -> None:
    """Run jobs until told to end."""
    async with asyncpg.create_pool(**told().asyncpg, min_size=2) as pool, payer() as own:
        queuer = PgQueuer.from_asyncpg_pool(pool)

        @queuer.entrypoint("pay")
        async def pay(job: Job) -> None:
            await own.pay_leased(int(job.payload or b""))

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, queuer.shutdown.set)
        await queuer.run(batch_size=batch)


class Enqueuer:
    """Enqueues on one connection that stays open."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._queries: Queries | None = None

    async def _opened(self) -> Queries:
        if self._queries is None:
            connection = await asyncpg.connect(**told().asyncpg)
            self._queries = Queries.from_asyncpg_connection(connection)
        return self._queries

    def prepare(self) -> None:
        """Make its tables."""

        async def install() -> None:
            await (await self._opened()).install()

        self._runner.run(install())

    def fill(self, payouts: Sequence[int]) -> None:
        """Enqueue many in one statement."""

        async def enqueue() -> None:
            queries = await self._opened()
            for start in range(0, len(payouts), SET):
                payloads = [str(payout).encode() for payout in payouts[start : start + SET]]
                await queries.enqueue(["pay"] * len(payloads), [*payloads], [0] * len(payloads))

        self._runner.run(enqueue())


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        asyncio.run(work(int(sys.argv[2])))
        sys.exit()
    with asyncio.Runner() as runner:
        enqueuer = Enqueuer(runner)
        serve(enqueuer.fill, enqueuer.prepare)
