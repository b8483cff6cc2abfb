"""Procrastinate: jobs in Postgres, coroutines, its own worker command."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

import procrastinate

from tests.bench.body_async import Payer, payer
from tests.bench.peers.desk import serve
from tests.bench.world import told

SET = 1_000
app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=told().conninfo, min_size=2, max_size=10)
)
_open = AsyncExitStack()
_payers: list[Payer] = []


@app.task(name="pay", queue="pay")
async def pay(payout: int) -> None:
    """Pay one."""
    if not _payers:
        made = await _open.enter_async_context(payer())
        _payers.append(made)
    await _payers[0].pay_leased(payout)


def fill(payouts: Sequence[int]) -> None:
    """Defer many in one statement."""
    connector = procrastinate.SyncPsycopgConnector(conninfo=told().conninfo)
    with app.replace_connector(connector) as own, own.open():
        for start in range(0, len(payouts), SET):
            rows = [{"payout": payout} for payout in payouts[start : start + SET]]
            pay.batch_defer(*rows)


def prepare() -> None:
    """Make its tables."""
    connector = procrastinate.SyncPsycopgConnector(conninfo=told().conninfo)
    with app.replace_connector(connector) as own, own.open():
        own.schema_manager.apply_schema()


if __name__ == "__main__":
    serve(fill, prepare)
