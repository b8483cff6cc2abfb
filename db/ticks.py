"""Ticks: every scheduled time becomes a run or a recorded reason, once, whoever records it.

How far a schedule is accounted for stands in `schedule_progress`. A scheduler locks that row,
works out which times came since, and records them and their runs in one transaction, so both exist
or neither. Others skip a row that is locked: their turn comes again. A time that the database's
clock has not reached is never recorded, and (schedule, tick_at) is unique whatever happens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from db.tx import Row, Rows, Tx
from domain import switches
from domain.schedules import Tick, TickOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a schedule is accounted for; `now` is the database's clock."""

    schedule: str
    rhythm: str
    accounted_until: datetime
    next_tick_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a tick puts on record. `is_alone`: not while a run of an earlier tick is still open."""

    job: str
    queue: str
    version: int
    is_alone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The times of one schedule that are to be recorded, and what is accounted for by that."""

    schedule: str
    target: Target
    ticks: Sequence[Tick]
    rhythm: str
    accounted_until: datetime
    next_tick_at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of one tick; `run` where it became one."""

    tick_at: datetime
    outcome: TickOutcome
    run: int | None
    reason: str | None


_SEE: Final = sa.text("""
    WITH asked AS (
      SELECT * FROM unnest(CAST(:schedules AS text[]), CAST(:rhythms AS text[]))
        AS a (schedule, rhythm))
    INSERT INTO schedule_progress (schedule, rhythm, accounted_until, next_tick_at)
    SELECT schedule, rhythm, clock_timestamp(), 'infinity' FROM asked ORDER BY schedule
    ON CONFLICT (schedule) DO NOTHING""")


def see(tx: Tx, rhythms: Sequence[tuple[str, str]]) -> int:
    """Begin to account for (schedule, rhythm) not seen before, from now on; returns how many."""
    return tx.run(_SEE, schedules=[s for s, _ in rhythms], rhythms=[r for _, r in rhythms])


_RETIRE: Final = sa.text("""
    UPDATE schedule_progress SET next_tick_at = 'infinity'
    WHERE schedule <> ALL(CAST(:schedules AS text[])) AND isfinite(next_tick_at)""")


def retire(tx: Tx, timetable: Sequence[str]) -> int:
    """Expect no more times of schedules that are not in `timetable`; one that returns goes on."""
    return tx.run(_RETIRE, schedules=list(timetable))


_PROGRESS: Final = sa.text("""
    SELECT schedule, rhythm, accounted_until, clock_timestamp() AS now,
           -- Python knows no infinity: a schedule just seen is due to be looked at.
           CASE WHEN isfinite(next_tick_at) THEN next_tick_at ELSE accounted_until END
             AS next_tick_at
    FROM schedule_progress WHERE schedule = ANY(CAST(:schedules AS text[])) ORDER BY schedule""")
_LOCK: Final = sa.text(_PROGRESS.text + " FOR UPDATE SKIP LOCKED")


def progress(tx: Tx, schedules: Sequence[str]) -> list[Progress]:
    """How far each of `schedules` that was ever seen is accounted for."""
    return [_progress(row) for row in tx.rows(_PROGRESS, schedules=list(schedules))]


def lock(tx: Tx, schedule: str) -> Progress | None:
    """Take the turn of a schedule for this transaction; None: another scheduler has it now."""
    row = tx.row(_LOCK, schedules=[schedule])
    return None if row is None else _progress(row)


_RECORD: Final = sa.text("""
    WITH asked AS MATERIALIZED (
      SELECT * FROM unnest(CAST(:ats AS timestamptz[]), CAST(:outcomes AS text[]),
                           CAST(:reasons AS text[]))
        AS a (tick_at, outcome, reason)
      -- Never a time that has not come, and never one twice.
      WHERE a.tick_at <= (SELECT clock_timestamp())
        AND NOT EXISTS (
          SELECT FROM ticks t WHERE t.schedule = :schedule AND t.tick_at = a.tick_at)),
    gate AS MATERIALIZED (
      SELECT name || ' is on: ' || why AS reason FROM switches
      WHERE is_on AND name = ANY(CAST(:gates AS text[])) ORDER BY name LIMIT 1),
    -- A sweep does not start beside itself; the runs of one set are not each other's twins.
    twin AS MATERIALIZED (
      SELECT 'overlap: run ' || id || ' of an earlier tick is ' || state AS reason FROM runs
      WHERE :is_alone AND job = :job AND origin = 'tick' AND state IN ('queued', 'held', 'running')
      ORDER BY id LIMIT 1),
    judged AS MATERIALIZED (
      SELECT a.tick_at,
             CASE WHEN a.outcome <> 'run' THEN a.outcome WHEN gate.reason IS NOT NULL THEN 'held'
                  WHEN twin.reason IS NOT NULL THEN 'skipped' ELSE 'run' END AS outcome,
             CASE WHEN a.outcome <> 'run' THEN a.reason ELSE coalesce(gate.reason, twin.reason) END
               AS reason,
             'tick:' || :schedule || ':'
               || to_char(a.tick_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS request_key
      FROM asked a LEFT JOIN gate ON true LEFT JOIN twin ON true),
    made AS (
      INSERT INTO runs AS r (job, queue, version, origin, request_key, requested_by, why)
      SELECT :job, :queue, :version, 'tick', j.request_key, :by, 'tick of ' || :schedule
      FROM judged j WHERE j.outcome = 'run' ORDER BY j.tick_at
      -- Somebody used the key of this tick: then that run is the tick's.
      ON CONFLICT (job, request_key) WHERE request_key IS NOT NULL
        DO UPDATE SET request_key = r.request_key
      RETURNING r.id, r.request_key),
    recorded AS (
      INSERT INTO ticks (schedule, tick_at, outcome, run, reason, recorded_by)
      SELECT :schedule, j.tick_at, j.outcome, m.id, j.reason, :by
      FROM judged j LEFT JOIN made m USING (request_key)
      ON CONFLICT (schedule, tick_at) DO NOTHING
      RETURNING tick_at, outcome, run, reason),
    kept AS (
      UPDATE schedule_progress SET rhythm = :rhythm, next_tick_at = :next_tick_at,
             accounted_until = greatest(accounted_until, least(:until, clock_timestamp()))
      WHERE schedule = :schedule)
    SELECT tick_at, outcome, run, reason FROM recorded ORDER BY tick_at""")


def record(tx: Tx, account: Account) -> list[Recorded]:
    """Record ticks, make their runs and move the mark, in one statement; returns what is new.

    The caller holds the schedule's turn by `lock` in the same transaction.
    """
    target = account.target
    gates = [
        switches.MAINTENANCE,
        switches.schedule(account.schedule),
        switches.job(target.job),
        switches.queue(target.queue),
    ]
    rows = tx.rows(
        _RECORD,
        schedule=account.schedule,
        ats=[t.tick_at for t in account.ticks],
        outcomes=[t.outcome.value for t in account.ticks],
        reasons=[t.reason for t in account.ticks],
        job=target.job,
        queue=target.queue,
        version=target.version,
        is_alone=target.is_alone,
        gates=gates,
        by=account.by,
        rhythm=account.rhythm,
        until=account.accounted_until,
        next_tick_at=account.next_tick_at,
    )
    return [
        Recorded(tick_at=r.tick_at, outcome=TickOutcome(r.outcome), run=r.run, reason=r.reason)
        for r in rows
    ]


_LISTING: Final = sa.text("""
    SELECT t.schedule, t.tick_at, t.outcome, t.run, r.state AS run_state, t.reason,
           t.recorded_at, t.recorded_by
    FROM ticks t LEFT JOIN runs r ON r.id = t.run
    WHERE t.schedule = :schedule AND (CAST(:before AS timestamptz) IS NULL OR t.tick_at < :before)
      AND (CAST(:outcome AS text) IS NULL OR t.outcome = :outcome)
    ORDER BY t.tick_at DESC LIMIT :limit""")


def listing(
    tx: Tx,
    schedule: str,
    *,
    outcome: TickOutcome | None = None,
    before: datetime | None = None,
    limit: int = 50,
) -> Rows:
    """One page of a schedule's ticks, newest first."""
    state = None if outcome is None else outcome.value
    return tx.page(_LISTING, schedule=schedule, outcome=state, before=before, limit=limit)


_LATEST: Final = sa.text("""
    SELECT p.schedule, p.next_tick_at, t.tick_at, t.outcome, t.run, t.reason
    FROM schedule_progress p
    LEFT JOIN LATERAL (
      SELECT * FROM ticks t WHERE t.schedule = p.schedule ORDER BY t.tick_at DESC LIMIT 1) t ON true
    WHERE isfinite(p.next_tick_at) ORDER BY p.schedule""")


def latest(tx: Tx) -> Sequence[Row]:
    """The last tick of every schedule ever seen (columns null where none came) and its next."""
    return tx.rows(_LATEST)


def _progress(row: Row) -> Progress:
    return Progress(
        schedule=row.schedule,
        rhythm=row.rhythm,
        accounted_until=row.accounted_until,
        next_tick_at=row.next_tick_at,
        now=row.now,
    )
