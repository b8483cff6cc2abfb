"""Runs and jobs as operators read them: pages of runs, one with its attempts, what waits by job."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from db.tx import Row, Rows, Tx
from domain.runs import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """Which runs to list; None does not narrow. `after` is the id the last page ended with."""

    state: RunState | None = None
    job: str | None = None
    after: int | None = None
    limit: int = 50


_RUNS: Final = sa.text("""
    SELECT id, job, state, origin, scope, request_key, due_at, attempts, reason, tally, requested_by, why,
           created_at, started_at, ended_at
    FROM runs
    WHERE id < coalesce(CAST(:after AS bigint), 9223372036854775807)
      AND (CAST(:state AS text) IS NULL OR state = :state) AND (CAST(:job AS text) IS NULL OR job = :job)
    ORDER BY id DESC LIMIT :limit""")


def listing(tx: Tx, page: RunPage) -> Rows:
    """A page of runs, newest first."""
    return tx.page(_RUNS, state=page.state, job=page.job, after=page.after, limit=page.limit)


_RUN: Final = sa.text("""
    SELECT r.*, l.worker, l.leased_until,
           (SELECT count(*) FROM work w WHERE w.holder = r.id AND w.leased_until > clock_timestamp() AND w.job = r.job) AS holds
    FROM runs r LEFT JOIN leases l ON l.name = 'run:' || r.id WHERE r.id = :id""")


def show(tx: Tx, run: int) -> Row | None:
    """One run, whole, with the worker that holds it and how many work rows it holds."""
    return tx.row(_RUN, id=run)


_ATTEMPTS: Final = sa.text("""
    SELECT attempt, worker, token, started_at, ended_at, outcome FROM run_attempts WHERE run = :id ORDER BY started_at""")


def attempts(tx: Tx, run: int) -> Sequence[Row]:
    """Each start of a run: who held it, and how that ended."""
    return tx.rows(_ATTEMPTS, id=run)


_MOVES: Final = sa.text("""
    SELECT kind, source, target, count(*) AS moves FROM moves
    WHERE run = :id AND at >= :since AND at <= coalesce(CAST(:until AS timestamptz), 'infinity')
    GROUP BY kind, source, target ORDER BY kind, source, target""")


def moves(tx: Tx, run: Row) -> Sequence[Row]:
    """How many subjects a run (a row of `show`) moved, from where to where: reads its own time only."""
    if run.started_at is None:
        return []
    return tx.rows(_MOVES, id=run.id, since=run.created_at, until=run.ended_at)


_JOBS: Final = sa.text("""
    SELECT c.job, c.queue, c.shape, c.version, c.summary,
           coalesce(w.waiting, 0) AS waiting, coalesce(w.due, 0) AS due, coalesce(w.leased, 0) AS leased,
           coalesce(w.parked, 0) AS parked, w.oldest_due_at,
           (SELECT count(*) FROM runs r WHERE r.job = c.job AND r.state = 'running') AS running,
           (SELECT count(*) FROM workers k WHERE c.job = ANY(k.jobs) AND NOT k.stopping
              AND k.beat_at >= clock_timestamp() - interval '15 seconds') AS workers
    FROM catalog c LEFT JOIN (
      SELECT job, count(*) AS waiting, count(*) FILTER (WHERE parked_reason IS NOT NULL) AS parked,
             count(*) FILTER (WHERE leased_until > clock_timestamp()) AS leased,
             count(*) FILTER (WHERE coalesce(leased_until, due_at) <= clock_timestamp()) AS due,
             min(due_at) FILTER (WHERE leased_until IS NULL AND parked_reason IS NULL) AS oldest_due_at
      FROM work GROUP BY job) w USING (job)
    WHERE CAST(:after AS text) IS NULL OR c.job > :after
    ORDER BY c.job LIMIT :limit""")


def jobs(tx: Tx, *, after: str | None = None, limit: int = 50) -> Rows:
    """A page of the catalog by name: each job with what waits for it (parked too) and who can run it."""
    return tx.page(_JOBS, after=after, limit=limit)


def job(tx: Tx, name: str) -> Row | None:
    """One job of the catalog."""
    return tx.row(sa.text("SELECT * FROM catalog WHERE job = :job"), job=name)


def note(tx: Tx, runs: Sequence[int], *, actor: str, why: str) -> int:
    """Keep who asked for something to be done about runs, and why."""
    statement = sa.text("""
    UPDATE runs SET requested_by = :actor, why = :why WHERE id = ANY(CAST(:ids AS bigint[]))""")
    return tx.run(statement, ids=list(runs), actor=actor, why=why)
