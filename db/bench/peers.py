"""The payload of an effect done once, as a peer's job does it: one payout, two ledger rows, one statement.

Kinder to a peer than the product is to itself: no effect, no move, no balance, no totals.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Final

import psycopg
import sqlalchemy as sa

from db.tx import Tx
from domain.errors import BrokenError

_TABLES: Final = (
    """CREATE TABLE peer_payouts (
         id bigint PRIMARY KEY, amount bigint NOT NULL, state smallint NOT NULL DEFAULT 1, settled_at timestamptz)
       WITH (fillfactor = 50)""",
    """CREATE TABLE peer_ledger (
         payout bigint NOT NULL, account int NOT NULL, amount bigint NOT NULL, UNIQUE (payout, account))""",
)
_FILL: Final = sa.text(
    "INSERT INTO peer_payouts (id, amount) SELECT n, 1000 + n FROM generate_series(1, :items) n"
)
_SETTLE: Final = """
    WITH p AS (
      UPDATE peer_payouts SET state = 3, settled_at = clock_timestamp() WHERE id = %s AND state = 1 RETURNING id, amount)
    INSERT INTO peer_ledger SELECT id, 1, -amount FROM p UNION ALL SELECT id, 2, amount FROM p"""
_CHECK: Final = sa.text("""
    SELECT (SELECT count(*) FROM peer_payouts WHERE state = 3) AS paid, count(*) AS rows, coalesce(sum(amount), 0) AS sum
    FROM peer_ledger""")
_LAST: Final = sa.text("""
    SELECT CAST(extract(epoch FROM max(settled_at) - CAST(:began AS timestamptz)) AS float8) FROM peer_payouts""")


def prepare(tx: Tx, items: int) -> None:
    """Make the payload tables with `items` payouts to pay."""
    for statement in _TABLES:
        tx.run(sa.text(statement))
    tx.run(_FILL, items=items)


def seconds(tx: Tx, items: int, began: datetime) -> float:
    """Time from `began` to the last settle. Raises `BrokenError` unless all are paid once."""
    found = tx.row(_CHECK)
    if found is None or tuple(found) != (items, 2 * items, 0):
        raise BrokenError(f"of {items} payouts the peer paid (count, ledger rows, sum): {found}")
    taken: float = tx.scalar(_LAST, began=began)
    return taken


class Payload:
    """Settles payouts one at a time on one connection, each in a transaction of its own."""

    def __init__(self, connection: "psycopg.AsyncConnection[tuple[object, ...]]") -> None:
        self.connection = connection

    async def settle(self, payout: int) -> None:
        """Pay one."""
        await self.connection.execute(_SETTLE, (payout,), prepare=True)


@asynccontextmanager
async def connections(
    options: dict[str, str], count: int
) -> AsyncIterator[list["psycopg.AsyncConnection[tuple[object, ...]]"]]:
    """Yield `count` autocommit connections, made as libpq is told by `options`."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                await psycopg.AsyncConnection.connect(**options, autocommit=True)  # type: ignore[arg-type]  # names and texts, as libpq takes them
            )
            for _ in range(count)
        ]
