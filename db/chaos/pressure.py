"""What presses on a database while it works: held transactions, readers, connections that do nothing."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Final, NamedTuple

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
    WITH lives AS MATERIALIZED (
      SELECT min(at) FILTER (WHERE target = 'APPROVED') AS came, min(at) FILTER (WHERE target = 'COMPLETED') AS done
      FROM moves GROUP BY subject)
    SELECT count(*) FILTER (WHERE done >= e.since AND done < e.until) AS completed,
           count(*) FILTER (WHERE came >= e.since AND came < e.until - p.patience) AS came,
           count(*) FILTER (WHERE came >= e.since AND came < e.until - p.patience AND done < came + p.patience) AS in_time
    FROM unnest(CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[])) WITH ORDINALITY AS e (since, until, n)
    CROSS JOIN (SELECT make_interval(secs => :patience) AS patience) p CROSS JOIN lives
    GROUP BY e.n ORDER BY e.n""")


class Phase(NamedTuple):
    """What happened between two moments."""

    completed: int
    came: int
    """Payouts approved, but for those that came too late to be completed in time before its end."""
    in_time: int
    """Of these, the ones that were completed in time."""

    @property
    def share(self) -> float | None:
        """Which part of what came was completed in time; None: nothing came."""
        return self.in_time / self.came if self.came else None


def phases(tx: Tx, edges: Sequence[datetime], patience_seconds: float) -> list[Phase]:
    """Return what happened between each two of `edges` (rising); in time is within `patience_seconds`."""
    rows = tx.rows(
        _COMPLETIONS, since=list(edges[:-1]), until=list(edges[1:]), patience=patience_seconds
    )
    return [Phase._make(row) for row in rows]
