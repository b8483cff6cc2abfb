"""How far a run has come, for whoever waits for it; and what one would claim, before there is one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Tx

_LOOK: Final = sa.text("""
    SELECT r.id, r.job, r.state, r.reason, r.due_at, r.created_at, r.started_at, r.attempts, r.scope,
           clock_timestamp() AS now,
           -- What was due when it was asked for, and waits still or is in somebody's hands.
           (SELECT count(*) FROM work w
            WHERE w.job = r.job AND w.due_at <= greatest(r.due_at, r.created_at)
              AND (CAST(:only AS uuid[]) IS NULL OR w.subject = ANY(CAST(:only AS uuid[])))) AS remaining,
           (SELECT count(*) FROM workers k WHERE r.job = ANY(k.jobs) AND NOT k.stopping
              AND k.beat_at >= clock_timestamp() - interval '15 seconds') AS workers
    FROM runs r WHERE r.id = :id""")


def look(tx: Tx, run: int, only: Sequence[UUID] | None) -> Row | None:
    """One run with `remaining` rows of what was due when it was asked for, and `workers` who know it."""
    return tx.row(_LOOK, id=run, only=None if only is None else list(only))


_TALLIES: Final = sa.text("""
    SELECT t.key AS name, CAST(sum(CAST(t.value AS bigint)) AS bigint) AS items
    FROM runs r CROSS JOIN LATERAL jsonb_each_text(r.tally) t
    WHERE r.id = :id OR (:with_later AND r.job = :job AND r.id > :id)
    GROUP BY t.key""")


def tally(tx: Tx, run: int, job: str, *, with_later: bool) -> dict[str, int]:
    """The tally of a run, or of it and the runs of its job after it, which went on with the same work."""
    rows = tx.rows(_TALLIES, id=run, job=job, with_later=with_later)
    return {row.name: int(row.items) for row in rows}


_TROUBLES: Final = sa.text("""
    (SELECT w.subject, coalesce(w.parked_reason, w.last_error) AS error FROM work w
     WHERE w.job IN ('payouts.recover', :job) AND coalesce(w.parked_reason, w.last_error) IS NOT NULL
       AND (CAST(:only AS uuid[]) IS NULL OR w.subject = ANY(CAST(:only AS uuid[])))
     ORDER BY w.subject LIMIT :limit)
    UNION ALL
    (SELECT m.subject, m.reason FROM moves m
     WHERE m.target = 'FAILED' AND m.at >= :since AND m.run >= :id
       AND (CAST(:only AS uuid[]) IS NULL OR m.subject = ANY(CAST(:only AS uuid[]))) LIMIT :limit)""")


def troubles(
    tx: Tx, run: int, job: str, *, since: datetime, only: Sequence[UUID] | None, limit: int = 20
) -> list[str]:
    """What went wrong with single items since, `subject: error` each; at most twice `limit`."""
    narrow = None if only is None else list(only)
    rows = tx.rows(_TROUBLES, id=run, job=job, since=since, only=narrow, limit=limit)
    return [f"{row.subject}: {row.error}" for row in rows]


_WOULD: Final = sa.text("""
    SELECT count(*) AS items, p.currency, CAST(sum(p.amount) AS bigint) AS amount_minor,
           max(p.amount) AS largest_minor, min(w.due_at) AS oldest_due_at
    FROM work w LEFT JOIN payouts p ON p.id = w.subject
    WHERE w.job = :job AND coalesce(w.leased_until, w.due_at) <= (SELECT clock_timestamp())
      AND (CAST(:only AS uuid[]) IS NULL OR w.subject = ANY(CAST(:only AS uuid[])))
    GROUP BY p.currency ORDER BY p.currency""")


def would_claim(tx: Tx, job: str, only: Sequence[UUID] | None) -> Sequence[Row]:
    """What a run of `job` would find due now, by currency: how many, their sum, the largest."""
    return tx.rows(_WOULD, job=job, only=None if only is None else list(only))
