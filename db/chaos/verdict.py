"""What a database says of itself after a storm, to be held against the bank's own book."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from db.tx import Row, Tx

_PAYOUTS: Final = sa.text("""
    SELECT p.id, p.external_id, p.state, coalesce(p.net_amount, p.amount) AS amount, p.generation, e.state AS effect, e.key, e.sends,
           w.job, w.parked_reason, w.last_error
    FROM payouts p LEFT JOIN effects e ON e.key = p.effect_key LEFT JOIN work w ON w.subject = p.id
    ORDER BY p.id""")


def payouts(tx: Tx) -> Sequence[Row]:
    """Every payout with its newest effect and what it waits for."""
    return tx.rows(_PAYOUTS)


_LEASES: Final = sa.text("""
    SELECT name AS what, worker AS who FROM leases
    UNION ALL
    SELECT 'work ' || job || ' ' || subject, 'run ' || holder FROM work WHERE token IS NOT NULL
    ORDER BY what""")


def leases(tx: Tx) -> Sequence[Row]:
    """What is still held, by whom: after every process ended there is none."""
    return tx.rows(_LEASES)


_RUNS: Final = sa.text("""
    SELECT id, job, state, origin, reason FROM runs
    WHERE state IN ('queued', 'held', 'running') AND origin <> 'watch'
      -- What was made a moment before the last worker left is nobody's fault.
      AND created_at < (SELECT max(ended_at) FROM runs) - interval '5 seconds'
       OR state IN ('failed', 'crashed', 'skipped') AND coalesce(reason, '') = ''
    ORDER BY id""")


def unexplained_runs(tx: Tx) -> Sequence[Row]:
    """Runs that have not ended, or ended badly and say not why."""
    return tx.rows(_RUNS)


_TICKS: Final = sa.text("""
    WITH rhythm AS (
      SELECT schedule, every_seconds AS every, changed_at FROM schedule_settings WHERE every_seconds IS NOT NULL),
    called AS (
      SELECT r.schedule, at FROM rhythm r JOIN schedule_progress p USING (schedule)
      CROSS JOIN LATERAL generate_series(
        to_timestamp(ceil(extract(epoch FROM greatest(r.changed_at, p.first_seen_at)) / r.every) * r.every),
        p.accounted_until, make_interval(secs => r.every)) at
      WHERE at > greatest(r.changed_at, p.first_seen_at))
    SELECT c.schedule, c.at FROM called c
    WHERE NOT EXISTS (SELECT FROM ticks t WHERE t.schedule = c.schedule AND t.tick_at = c.at)
    ORDER BY c.schedule, c.at""")


def missing_ticks(tx: Tx) -> Sequence[Row]:
    """Times of schedules with an interval that came and are neither a run nor a recorded reason."""
    return tx.rows(_TICKS)


def tick_count(tx: Tx) -> int:
    """How many ticks are on record."""
    found: int = tx.scalar(sa.text("SELECT count(*) FROM ticks"))
    return found


_INBOX: Final = sa.text("""
    SELECT event_id, type, encode(sha256(body), 'hex') AS digest, state, outcome,
           -- What came a moment before the last worker left is nobody's fault.
           state = 'RECEIVED' AND created_at < (SELECT max(ended_at) FROM runs) - interval '5 seconds' AS waits
    FROM inbox ORDER BY created_at, id""")


def inbox(tx: Tx) -> Sequence[Row]:
    """Every webhook that was kept: `digest` is of its bytes, `waits` says that nobody came to it."""
    return tx.rows(_INBOX)


_HISTORY: Final = sa.text("""
    SELECT at, 'moved' AS what, format('%s -> %s by %s run %s token %s %s', source, target, actor, run, token, reason) AS detail
    FROM moves WHERE subject = :id
    UNION ALL
    SELECT a.at, 'answer', format('%s run %s token %s moved %s %s', a.answer, a.run, a.token, a.moved, a.detail)
    FROM effects e JOIN effect_answers a ON a.key = e.key WHERE e.subject = :id
    UNION ALL
    SELECT e.updated_at, 'effect', format('generation %s %s sends %s key %s provider id %s', e.generation, e.state, e.sends,
      e.key, e.provider_id)
    FROM effects e WHERE e.subject = :id
    UNION ALL
    SELECT clock_timestamp(), 'waits', format('%s due %s leased until %s holder %s claims %s tries %s parked %s error %s', job,
      due_at, leased_until, holder, claims, tries, parked_reason, last_error)
    FROM work WHERE subject = :id
    ORDER BY at""")


def history(tx: Tx, payout: object) -> Sequence[Row]:
    """Everything that is known of one payout, in the order of time: `at, what, detail`."""
    return tx.rows(_HISTORY, id=payout)
