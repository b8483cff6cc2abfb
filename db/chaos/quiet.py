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


_OPEN: Final = sa.text("""
    SELECT count(*) FILTER (WHERE w.parked_reason IS NULL) AS payouts,
           count(*) FILTER (WHERE w.parked_reason IS NULL AND e.state = 'unknown') AS unknown,
           (SELECT count(*) FROM runs WHERE state IN ('queued', 'held', 'running') AND origin <> 'watch') AS runs
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
    UPDATE work SET due_at = clock_timestamp() FROM payouts p
    WHERE p.id = work.subject AND p.id = ANY(CAST(:ids AS uuid[])) AND p.state = 'COMPLETED'
      AND work.job = 'payouts.follow' AND work.token IS NULL AND work.parked_reason IS NULL""")
_STILL: Final = sa.text("""
    SELECT count(*) FROM payouts WHERE id = ANY(CAST(:ids AS uuid[])) AND state = 'COMPLETED'""")


def let_a_day_pass(tx: Tx, payouts: Sequence[UUID]) -> int:
    """Let those of `payouts` that are completed be asked about now, as they would be tomorrow.

    Returns how many are completed.
    """
    tx.run(_DAY, ids=list(payouts))
    found: int = tx.scalar(_STILL, ids=list(payouts))
    return found


_BEGUN: Final = sa.text("""
    SELECT extract(epoch FROM started_at - due_at)::float8 FROM runs
    WHERE id = :id AND started_at IS NOT NULL""")


def begun_after(tx: Tx, run: int) -> float | None:
    """Seconds from due to started; None: it has not."""
    seconds: float | None = tx.scalar(_BEGUN, id=run)
    return seconds
