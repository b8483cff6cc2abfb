"""Wake runs: made for due work by whoever sees it, at most one waiting per job; and runs nobody rang for."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from db.runs import Known
from db.tx import Tx

_WAKE: Final = sa.text("""
    WITH known AS (
      SELECT * FROM unnest(CAST(:jobs AS text[]), CAST(:queues AS text[]), CAST(:versions AS int[]), CAST(:widths AS int[]))
        WITH ORDINALITY AS k (job, queue, version, width_max, n)),
    -- What a switch holds back is not woken each second only to say so.
    shut AS MATERIALIZED (
      SELECT g.job FROM unnest(CAST(:gate_jobs AS text[]), CAST(:gates AS text[])) AS g (job, gate)
      JOIN switches s ON s.name = g.gate WHERE s.is_on),
    -- One index probe per job: parked rows wait at infinity, leases and delays are later keys.
    due AS MATERIALIZED (
      SELECT k.* FROM known k
      WHERE EXISTS (SELECT FROM work w WHERE w.job = k.job AND coalesce(w.leased_until, w.due_at) <= (SELECT clock_timestamp()))
        AND (SELECT count(*) FROM runs r WHERE r.state IN ('running', 'held') AND r.job = k.job) < k.width_max
        AND k.job NOT IN (SELECT job FROM shut)),
    -- A wake run carries nothing: one left by a newer release that was rolled back is for us too.
    lowered AS (
      UPDATE runs r SET version = d.version FROM due d
      WHERE r.wake_key = d.job AND r.state = 'queued' AND r.version > d.version RETURNING r.id, r.queue),
    made AS (
      INSERT INTO runs (job, queue, version, origin, wake_key)
      -- In the order of the catalog, so that two who wake the same jobs never wait in a circle.
      SELECT job, queue, version, 'wake', job FROM due ORDER BY n
      ON CONFLICT (wake_key) WHERE state = 'queued' DO NOTHING
      RETURNING id, queue)
    SELECT id, queue FROM made UNION ALL SELECT id, queue FROM lowered""")


def wake(tx: Tx, known: Sequence[Known]) -> list[tuple[int, str]]:
    """Make one wake run per job with due work, room for another run and no switch against it.

    Returns (run, queue) of those made: the caller rings for them after its commit.
    """
    gates = [(k.job, gate) for k in known for gate in k.gates]
    rows = tx.rows(
        _WAKE,
        gate_jobs=[job for job, _ in gates],
        gates=[gate for _, gate in gates],
        jobs=[k.job for k in known],
        queues=[k.queue for k in known],
        versions=[k.version for k in known],
        widths=[k.width_max for k in known],
    )
    return [(row.id, row.queue) for row in rows]


_OVERDUE: Final = sa.text("""
    SELECT r.id, r.queue FROM runs r
    WHERE r.state = 'queued' AND r.due_at <= clock_timestamp() - make_interval(secs => :seconds)
      AND EXISTS (SELECT FROM unnest(CAST(:jobs AS text[]), CAST(:versions AS int[])) AS k (job, version)
                  WHERE k.job = r.job AND r.version <= k.version)
      -- What a switch holds back would take the places of those that can start.
      AND (r.origin = 'watch'
           OR NOT EXISTS (SELECT FROM switches s WHERE s.is_on AND s.name IN ('maintenance', 'queue:' || r.queue, 'restored')))
    ORDER BY r.due_at LIMIT :limit""")


def overdue(tx: Tx, known: Sequence[Known], *, seconds: float, limit: int) -> list[tuple[int, str]]:
    """Runs that have been due for `seconds` and that this process could start now: their bell was lost."""
    rows = tx.rows(
        _OVERDUE,
        jobs=[k.job for k in known],
        versions=[k.version for k in known],
        seconds=seconds,
        limit=limit,
    )
    return [(row.id, row.queue) for row in rows]
