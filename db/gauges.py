"""What is measured about the whole system: a few index probes each, whatever the size of history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from db.tx import Row, Tx

_BY_JOB: Final = sa.text("""
    SELECT c.job,
           CAST(coalesce(extract(epoch FROM clock_timestamp() - oldest.due_at), 0) AS float8) AS oldest_due_seconds,
           (SELECT count(*) FROM work w
            WHERE w.job = c.job AND coalesce(w.leased_until, w.due_at) = 'infinity') AS parked
    FROM catalog c
    LEFT JOIN LATERAL (
      SELECT w.due_at FROM work w
      WHERE w.job = c.job AND coalesce(w.leased_until, w.due_at) <= (SELECT clock_timestamp())
      ORDER BY coalesce(w.leased_until, w.due_at) LIMIT 1) oldest ON true
    ORDER BY c.job""")


def by_job(tx: Tx) -> Sequence[Row]:
    """For each job of the catalog: age of the oldest ready row (seconds), and parked rows."""
    return tx.rows(_BY_JOB)


_UNKNOWN: Final = sa.text("""
    SELECT p.currency, count(*) AS items, CAST(sum(p.amount) AS bigint) AS amount_minor
    FROM work w JOIN payouts p ON p.id = w.subject
    WHERE w.job = 'payouts.recover' GROUP BY p.currency ORDER BY p.currency""")


def unknown(tx: Tx) -> Sequence[Row]:
    """Payouts of which nobody knows whether they were made: count and sum by currency (minor units)."""
    return tx.rows(_UNKNOWN)


_RUNS: Final = sa.text("""
    SELECT queue, count(*) AS waiting,
           CAST(coalesce(extract(epoch FROM clock_timestamp() - min(due_at)), 0) AS float8) AS oldest_seconds
    FROM runs WHERE state = 'queued' AND due_at <= (SELECT clock_timestamp())
    GROUP BY queue ORDER BY queue""")


def waiting_runs(tx: Tx) -> Sequence[Row]:
    """Runs that are due and not taken, by queue: how many, and how long the oldest waits (seconds)."""
    return tx.rows(_RUNS)


_FINDINGS: Final = sa.text("""
    SELECT severity, count(*) AS items FROM findings WHERE resolved_at IS NULL
    GROUP BY severity ORDER BY severity""")


def open_findings(tx: Tx) -> Sequence[Row]:
    """Open findings by severity."""
    return tx.rows(_FINDINGS)


_MISSED: Final = sa.text("""
    -- By schedule, so that the key leads to the last day of each whatever the size of history.
    SELECT t.schedule, count(*) AS items FROM schedule_progress p
    JOIN ticks t ON t.schedule = p.schedule AND t.tick_at > (SELECT clock_timestamp() - interval '1 day')
    WHERE t.outcome = 'coalesced'
    GROUP BY t.schedule ORDER BY t.schedule""")


def missed_ticks(tx: Tx) -> Sequence[Row]:
    """Ticks of the last day that nobody was there to record in time, by schedule."""
    return tx.rows(_MISSED)


_WORKERS: Final = sa.text("""
    SELECT count(*) FROM workers WHERE beat_at > clock_timestamp() - interval '30 seconds' AND NOT stopping""")


def live_workers(tx: Tx) -> int:
    """Processes that run jobs and said so in the last 30 s."""
    live: int = tx.scalar(_WORKERS)
    return live


_NEWEST_EVENT: Final = sa.text("""
    SELECT CAST(extract(epoch FROM clock_timestamp() - created_at) AS float8) FROM inbox
    ORDER BY created_at DESC, id DESC LIMIT 1""")


def newest_event(tx: Tx) -> float | None:
    """How long ago the last event of a provider was received (seconds), or None before the first."""
    age: float | None = tx.scalar(_NEWEST_EVENT)
    return age


def clock(tx: Tx) -> datetime:
    """The database's clock, now."""
    now: datetime = tx.scalar(sa.text("SELECT clock_timestamp()"))
    return now
