"""Runs moved by somebody other than their holder: crashed, queued again, cancelled, let go, looked at."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa

from db.tx import Row, Tx

_CRASHED: Final = sa.text("""
    WITH ended AS (
      DELETE FROM leases WHERE name IN (
        SELECT name FROM leases WHERE leased_until <= clock_timestamp() AND name LIKE 'run:%' FOR UPDATE SKIP LOCKED)
      RETURNING holder),
    -- A run is taken and ended in one statement with its lease: one without it was broken off by an operator.
    lost AS (
      SELECT holder FROM ended UNION
      SELECT id FROM runs WHERE state = 'running' AND NOT EXISTS (SELECT FROM leases WHERE name = 'run:' || id)),
    crashed AS (
      UPDATE runs r SET state = 'crashed', reason = 'its lease ended before it did', ended_at = clock_timestamp()
      FROM lost WHERE r.id = lost.holder AND r.state = 'running' RETURNING r.id, r.job, r.attempts),
    noted AS (
      UPDATE run_attempts a SET ended_at = clock_timestamp(), outcome = 'crashed'
      FROM crashed c WHERE a.run = c.id AND a.attempt = c.attempts AND a.ended_at IS NULL)
    SELECT id, job, attempts FROM crashed""")


class Crashed(NamedTuple):
    """A run whose lease ended before it did, and how often it was started."""

    run: int
    job: str
    attempts: int


def mark_crashed(tx: Tx) -> list[Crashed]:
    """Runs whose lease has ended become `crashed`. Their items come back by themselves."""
    return [Crashed._make(row) for row in tx.rows(_CRASHED)]


_COVERED: Final = sa.text("""
    SELECT other.id FROM runs mine
    -- The latest of its job: whatever the size of history, and a run too many does no harm.
    CROSS JOIN LATERAL (SELECT * FROM runs r WHERE r.job = mine.job ORDER BY r.id DESC LIMIT 100) other
    WHERE mine.id = :id AND other.id <> mine.id AND other.scope = mine.scope AND other.started_at > mine.created_at
      AND (other.state = 'succeeded' OR other.state = 'running' AND other.started_at < mine.started_at)
    ORDER BY other.id LIMIT 1""")


def covered_by(tx: Tx, run: int) -> int | None:
    """The run of the same job and scope that began after `run` was asked for, and so did what it asks."""
    found: int | None = tx.scalar(_COVERED, id=run)
    return found


_REQUEUE: Final = sa.text("""
    UPDATE runs SET state = 'queued', due_at = clock_timestamp() + make_interval(secs => :delay), reason = NULL, ended_at = NULL
    WHERE id = ANY(CAST(:ids AS bigint[])) AND state IN ('failed', 'crashed', 'stopped') AND wake_key IS NULL
    RETURNING id, queue""")


def requeue(tx: Tx, runs: Sequence[int], *, delay_seconds: float = 0.0) -> list[tuple[int, str]]:
    """Queue ended runs again, as the same rows (sweeps and operators' runs; wake runs are never retried)."""
    return [(row.id, row.queue) for row in tx.rows(_REQUEUE, ids=list(runs), delay=delay_seconds)]


_CANCEL: Final = sa.text("""
    UPDATE runs SET state = 'cancelled', reason = :why, ended_at = clock_timestamp()
    WHERE id = ANY(CAST(:ids AS bigint[])) AND state IN ('queued', 'held') RETURNING id""")


def cancel(tx: Tx, runs: Sequence[int], why: str) -> list[int]:
    """Cancel runs that have not started; returns those cancelled."""
    return [row.id for row in tx.rows(_CANCEL, ids=list(runs), why=why)]


_UNHOLD: Final = sa.text("""
    UPDATE runs SET state = 'queued' WHERE state = 'held'
      AND NOT EXISTS (SELECT FROM switches WHERE name = 'maintenance' AND is_on)
    RETURNING id, queue""")


def unhold(tx: Tx) -> list[tuple[int, str]]:
    """Queue what maintenance held back, once it is off; returns (run, queue)."""
    return [(row.id, row.queue) for row in tx.rows(_UNHOLD)]


def get(tx: Tx, run: int) -> Row | None:
    """One run, whole."""
    return tx.row(sa.text("SELECT * FROM runs WHERE id = :id"), id=run)
