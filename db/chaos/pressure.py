"""What presses on a database while it works: held transactions, readers, connections that do nothing."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from db.tx import Tx

READER_PAUSE_SECONDS: Final = 0.01


@contextmanager
def held(url: str, count: int, *, with_id: bool) -> Iterator[int]:
    """Hold up to `count` connections; `with_id`: each in a transaction that has an id. Yields how many."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        got = 0
        for _ in range(count):
            with suppress(SQLAlchemyError):
                connection = stack.enter_context(engine.connect())
                connection.execute(
                    sa.text("SELECT pg_current_xact_id()" if with_id else "SELECT 1")
                )
                if not with_id:
                    connection.rollback()
                got += 1
        yield got


@contextmanager
def readers(url: str, count: int) -> Iterator[None]:
    """Let `count` connections scan the work table again and again, each in one long snapshot."""
    engine = sa.create_engine(url, pool_size=count, isolation_level="REPEATABLE READ")
    stop = threading.Event()
    threads = [
        threading.Thread(target=_read, args=(engine, stop), name="reader", daemon=True)
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        engine.dispose()


def _read(engine: sa.Engine, stop: threading.Event) -> None:
    with suppress(SQLAlchemyError), engine.connect() as connection:
        while not stop.wait(READER_PAUSE_SECONDS):
            connection.execute(
                sa.text("SELECT job, count(*), max(due_at) FROM bursar.work GROUP BY job")
            )


_COMPLETIONS: Final = sa.text("""
    SELECT (SELECT count(*) FROM moves WHERE target = 'COMPLETED' AND at >= e.since AND at < e.until) AS items
    FROM unnest(CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[])) WITH ORDINALITY AS e (since, until, n)
    ORDER BY e.n""")


def completions(tx: Tx, edges: list[datetime]) -> list[int]:
    """How many payouts were completed between each two of `edges` (rising)."""
    rows = tx.rows(_COMPLETIONS, since=edges[:-1], until=edges[1:])
    return [row.items for row in rows]
