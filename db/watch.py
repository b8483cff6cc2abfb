"""What a watcher must see: late schedules, stale runs, unknown jobs, parked work, silent workers.

Each is a few index probes, whatever the size of history, judged by the database's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from db.tx import Row, Tx

TICK_LATE_SECONDS: Final = 60.0
NOBODY_SECONDS: Final = 300.0
STALE_SECONDS: Final = 30.0
BEAT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A time that came and was not recorded; `others_go_on`: other schedules were, since."""

    schedule: str
    seconds: float
    others_go_on: bool


_LATE: Final = sa.text("""
    SELECT p.schedule, extract(epoch FROM clock_timestamp() - p.next_tick_at)::float8 AS seconds,
           (SELECT max(o.accounted_until) FROM schedule_progress o)
             > p.next_tick_at + make_interval(secs => :late) AS others_go_on
    FROM schedule_progress p
    WHERE p.next_tick_at < clock_timestamp() - make_interval(secs => :late)
    ORDER BY p.schedule""")


def late_schedules(tx: Tx) -> list[Late]:
    """Schedules whose next time came more than a minute ago and is not recorded."""
    rows = tx.rows(_LATE, late=TICK_LATE_SECONDS)
    return [Late(schedule=r.schedule, seconds=r.seconds, others_go_on=r.others_go_on) for r in rows]


_NEVER_SCHEDULED: Final = sa.text("""
    SELECT NOT EXISTS (SELECT FROM schedule_progress)
       AND EXISTS (SELECT FROM workers
                   WHERE started_at < clock_timestamp() - make_interval(secs => :seconds))""")


def never_scheduled(tx: Tx) -> bool:
    """Say whether workers have run for a while and no scheduler was ever seen."""
    return bool(tx.scalar(_NEVER_SCHEDULED, seconds=NOBODY_SECONDS))


_NOBODY: Final = sa.text("""
    WITH RECURSIVE jobs AS (
      -- Each job in the table, by one index probe per job.
      SELECT min(job) AS job FROM work
      UNION ALL
      SELECT (SELECT min(w.job) FROM work w WHERE w.job > j.job)
      FROM jobs j WHERE j.job IS NOT NULL),
    due AS (
      SELECT j.job, 1 AS version, oldest.ready_at FROM jobs j
      JOIN LATERAL (
        SELECT coalesce(w.leased_until, w.due_at) AS ready_at FROM work w
        WHERE w.job = j.job
          AND coalesce(w.leased_until, w.due_at) <= (SELECT clock_timestamp())
        ORDER BY coalesce(w.leased_until, w.due_at) LIMIT 1) oldest ON true
      UNION ALL
      SELECT job, version, min(due_at) FROM runs WHERE state = 'queued' GROUP BY job, version)
    SELECT d.job, min(d.ready_at) AS oldest FROM due d
    WHERE d.ready_at < clock_timestamp() - make_interval(secs => :nobody)
      AND NOT EXISTS (
        SELECT FROM workers w CROSS JOIN LATERAL unnest(w.jobs, w.versions) AS k (job, version)
        WHERE k.job = d.job AND d.version <= coalesce(k.version, 1)
          AND w.beat_at > clock_timestamp() - make_interval(secs => :beat))
    GROUP BY d.job ORDER BY d.job""")


def nobody_knows(tx: Tx) -> Sequence[Row]:
    """Jobs with work or runs due for five minutes that no live worker knows, in their version: `job, oldest`."""
    return tx.rows(_NOBODY, nobody=NOBODY_SECONDS, beat=BEAT_SECONDS)


_PARKED: Final = sa.text("""
    SELECT w.job, count(*) AS items, min(w.waiting_since) AS oldest,
           (array_agg(w.parked_reason ORDER BY w.waiting_since))[1] AS reason
    FROM work w
    WHERE w.job IN (SELECT job FROM catalog) AND coalesce(w.leased_until, w.due_at) = 'infinity'
    GROUP BY w.job ORDER BY w.job""")


def parked(tx: Tx) -> Sequence[Row]:
    """Work that waits for a person, by job: `items, oldest, reason` (of the oldest)."""
    return tx.rows(_PARKED)


_STALE: Final = sa.text("""
    SELECT r.queue, count(*) AS runs, min(r.due_at) AS oldest,
           extract(epoch FROM clock_timestamp() - min(r.due_at))::float8 AS oldest_seconds
    FROM runs r
    WHERE r.state = 'queued'
      AND r.due_at <= (SELECT clock_timestamp() - make_interval(secs => :stale))
      -- What a switch holds back is not late.
      AND NOT EXISTS (SELECT FROM switches s WHERE s.is_on AND s.name
                      IN ('maintenance', 'restored', 'queue:' || r.queue, 'job:' || r.job))
    GROUP BY r.queue ORDER BY r.queue""")


def stale_runs(tx: Tx) -> Sequence[Row]:
    """Runs due for half a minute that nobody took, by queue: `runs, oldest, oldest_seconds`."""
    return tx.rows(_STALE, stale=STALE_SECONDS)


_SILENT: Final = sa.text("""
    SELECT id, host, pid, beat_at FROM workers
    WHERE NOT stopping AND beat_at < clock_timestamp() - make_interval(secs => :beat)
      -- One that is gone for longer is history, not news.
      AND beat_at > clock_timestamp() - interval '1 hour'
    ORDER BY id""")


def silent_workers(tx: Tx) -> Sequence[Row]:
    """Workers that said nothing for a minute and did not say goodbye: `id, host, pid, beat_at`."""
    return tx.rows(_SILENT, beat=BEAT_SECONDS)
