"""Runs moved by somebody other than their holder: crashed, queued again, cancelled, let go, looked at."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from db.tx import Row, Tx

_CRASHED: Final = sa.text("""
    WITH lost AS (
      DELETE FROM leases WHERE name IN (
        SELECT name FROM leases WHERE leased_until <= clock_timestamp() AND name LIKE 'run:%' FOR UPDATE SKIP LOCKED)
      RETURNING holder),
    crashed AS (
      UPDATE runs r SET state = 'crashed', reason = 'its lease ended before it did', ended_at = clock_timestamp()
      FROM lost WHERE r.id = lost.holder AND r.state = 'running' RETURNING r.id, r.job, r.attempts),
    noted AS (
      UPDATE run_attempts a SET ended_at = clock_timestamp(), outcome = 'crashed'
      FROM crashed c WHERE a.run = c.id AND a.attempt = c.attempts AND a.ended_at IS NULL)
    SELECT id, job FROM crashed""")


def mark_crashed(tx: Tx) -> list[tuple[int, str]]:
    """Runs whose lease has ended become `crashed`; returns (run, job). Their items come back by themselves."""
    return [(row.id, row.job) for row in tx.rows(_CRASHED)]


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


def unhold(tx: Tx) -> list[tuple[int, str]]:
    """Queue what maintenance held back; returns (run, queue)."""
    return [
        (row.id, row.queue)
        for row in tx.rows(
            sa.text("UPDATE runs SET state = 'queued' WHERE state = 'held' RETURNING id, queue")
        )
    ]


def get(tx: Tx, run: int) -> Row | None:
    """One run, whole."""
    return tx.row(sa.text("SELECT * FROM runs WHERE id = :id"), id=run)
