"""Who holds what at this moment, and what became of it since: for faults that choose their victim."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx


class Holding(NamedTuple):
    """One row in a worker's hands."""

    job: str
    subject: UUID
    token: int


_OF_PROCESS: Final = sa.text("""
    SELECT w.job, w.subject, w.token FROM leases l
    JOIN work w ON 'run:' || w.holder = l.name AND w.leased_until > clock_timestamp()
    WHERE l.worker IN (SELECT id FROM workers WHERE pid = :pid)""")


def of_process(tx: Tx, pid: int) -> list[Holding]:
    """What the runs of the worker with this process id hold."""
    return [Holding._make(row) for row in tx.rows(_OF_PROCESS, pid=pid)]


_BUSIEST: Final = sa.text("""
    SELECT k.pid FROM workers k JOIN leases l ON l.worker = k.id
    JOIN work w ON 'run:' || w.holder = l.name AND w.leased_until > clock_timestamp()
    WHERE k.pid = ANY(CAST(:pids AS int[])) GROUP BY k.pid ORDER BY count(*) DESC, k.pid LIMIT 1""")


def busiest(tx: Tx, pids: Sequence[int]) -> int | None:
    """Which of these processes holds most work; None: none holds any."""
    found: int | None = tx.scalar(_BUSIEST, pids=list(pids))
    return found


class Left(NamedTuple):
    """Of rows somebody held: still under that token, of these still leased, and not yet settled."""

    untaken: int
    leased: int
    open: int


_LEFT: Final = sa.text("""
    SELECT count(*) FILTER (WHERE w.token = h.token) AS untaken,
           count(*) FILTER (WHERE w.token = h.token AND w.leased_until > clock_timestamp()) AS leased,
           count(*) FILTER (WHERE w.token IS NOT NULL) AS open
    FROM unnest(CAST(:jobs AS text[]), CAST(:subjects AS uuid[]), CAST(:tokens AS bigint[])) AS h (job, subject, token)
    JOIN work w ON w.job = h.job AND w.subject = h.subject""")


def left(tx: Tx, held: Sequence[Holding]) -> Left:
    """How much of it nobody has taken over yet."""
    row = tx.row(
        _LEFT,
        jobs=[h.job for h in held],
        subjects=[h.subject for h in held],
        tokens=[h.token for h in held],
    )
    if row is None:
        raise AssertionError("an aggregate returns one row")
    return Left._make(row)


_BACKENDS: Final = sa.text("""
    SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name LIKE 'bursar %'
      AND application_name <> :mine
    ORDER BY (state = 'active') DESC, query_start DESC""")


def backends(tx: Tx, mine: str) -> list[int]:
    """Process ids of the server's backends that serve our processes, but not application `mine`."""
    return [row.pid for row in tx.rows(_BACKENDS, mine=mine)]


def terminate(tx: Tx, mine: str) -> int:
    """End every such backend in order (`pg_terminate_backend`, as superuser); returns how many."""
    pids = backends(tx, mine)
    statement = sa.text("SELECT pg_terminate_backend(pid) FROM unnest(CAST(:pids AS int[])) pid")
    return len(tx.rows(statement, pids=pids))
