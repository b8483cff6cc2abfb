"""Whether a storm has died down: what is still open, and what a day's passing would bring."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx


class Open(NamedTuple):
    """What has not ended. A completed payout that waits to see a late reversal has."""

    payouts: int
    """Not final, and not parked for a person."""
    unknown: int
    """Of these, the ones nobody knows about."""
    runs: int
    """Queued, held or running, but for the watch of the minute."""
    events: int
    """Webhooks that were kept and have waited longer than a sweep takes."""


_OPEN: Final = sa.text("""
    SELECT count(*) FILTER (WHERE w.parked_reason IS NULL) AS payouts,
           count(*) FILTER (WHERE w.parked_reason IS NULL AND e.state = 'unknown') AS unknown,
           (SELECT count(*) FROM runs WHERE state IN ('queued', 'held', 'running') AND origin <> 'watch') AS runs,
           (SELECT count(*) FROM inbox WHERE state = 'RECEIVED' AND created_at < clock_timestamp() - interval '3 seconds') AS events
    FROM payouts p LEFT JOIN effects e ON e.key = p.effect_key
    LEFT JOIN work w ON w.subject = p.id
    WHERE p.state IN ('APPROVED', 'PROCESSING')""")


def look(tx: Tx) -> Open:
    """Return what is still open. Reads the whole table."""
    row = tx.row(_OPEN)
    if row is None:
        raise AssertionError("an aggregate returns one row")
    return Open._make(row)


_DAY: Final = sa.text("""
    WITH given AS MATERIALIZED (
      SELECT p.id FROM unnest(CAST(:ids AS uuid[]), CAST(:generations AS int[])) AS g (id, generation)
      JOIN payouts p USING (id, generation) WHERE p.state = 'COMPLETED'),
    hurried AS (
      UPDATE work SET due_at = clock_timestamp() FROM given g
      WHERE g.id = work.subject AND work.job = 'payouts.follow' AND work.due_at > clock_timestamp()
        AND work.token IS NULL AND work.parked_reason IS NULL)
    SELECT count(*) FROM given""")


def let_a_day_pass(tx: Tx, given_back: Sequence[tuple[UUID, int]]) -> int:
    """Let completed payouts be asked about now, as they would be tomorrow, if their money came back.

    `given_back` names payouts and generations: what came back of an earlier one was seen then.
    Returns how many are completed.
    """
    ids, generations = [id_ for id_, _ in given_back], [number for _, number in given_back]
    found: int = tx.scalar(_DAY, ids=ids, generations=generations)
    return found


_BEGUN: Final = sa.text("""
    SELECT extract(epoch FROM started_at - due_at)::float8 FROM runs
    WHERE id = :id AND started_at IS NOT NULL""")


def begun_after(tx: Tx, run: int) -> float | None:
    """Seconds from due to started; None: it has not."""
    seconds: float | None = tx.scalar(_BEGUN, id=run)
    return seconds
