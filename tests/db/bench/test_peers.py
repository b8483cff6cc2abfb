"""The payload of a peer: paid once, checked, timed."""

import asyncio

import pytest

from db.bench import peers
from db.bench.recording import connection_options
from db.clock import now
from db.engine import Database, DatabaseOptions
from domain.errors import BrokenError


def test_a_payout_is_paid_once_however_often_its_job_runs(empty_database_url: str) -> None:
    database = Database(DatabaseOptions(url=empty_database_url, schema="public", role=None))
    try:
        with database.begin() as tx:
            peers.prepare(tx, 3)
            began = now(tx)
        options = connection_options(database) | {"options": ""}

        asyncio.run(pay(options, [1, 2, 2]))
        with database.begin() as tx, pytest.raises(BrokenError, match=r"of 3 .*\(2, 4, "):
            peers.seconds(tx, 3, began)

        asyncio.run(pay(options, [3]))
        with database.begin() as tx:
            assert peers.seconds(tx, 3, began) >= 0
    finally:
        database.dispose()


async def pay(options: dict[str, str], payouts: list[int]) -> None:
    """Pay one after another."""
    async with peers.connections(options, 1) as [connection]:
        for payout in payouts:
            await peers.Payload(connection).settle(payout)
