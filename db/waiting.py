"""What waits in the work table, seen from outside a claim: counted and explained."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Tx

_WHY_NOT: Final = sa.text("""
    SELECT s.subject, w.job, NULLIF(w.due_at, 'infinity') AS due_at, w.leased_until, w.holder, w.parked_reason,
           w.leased_until > clock_timestamp() AS is_leased, w.due_at > clock_timestamp() AS is_later
    FROM unnest(CAST(:subjects AS uuid[])) AS s (subject) LEFT JOIN work w ON w.subject = s.subject""")


def why_not_claimed(tx: Tx, job: str, subjects: Sequence[UUID]) -> dict[UUID, str]:
    """Say for each subject of a scope why `job` did not claim it."""
    return {row.subject: _why_not(job, row) for row in tx.rows(_WHY_NOT, subjects=list(subjects))}


def _why_not(job: str, row: Row) -> str:
    if row.job is None:
        return "it waits for no job"
    if row.job != job:
        return f"it waits for {row.job}"
    if row.parked_reason:
        return f"it is parked: {row.parked_reason}"
    if row.is_leased:
        return f"run {row.holder} holds it until {row.leased_until:%H:%M:%S} UTC"
    if row.is_later:
        return f"it is due at {row.due_at:%Y-%m-%d %H:%M:%S} UTC"
    return "it was being claimed by another run"


DUE_MAX: Final = 1000
"""How many due rows are counted: a backlog of millions is not read to say that there is one."""

_NEGLECTED: Final = sa.text("""
    SELECT FROM work
    WHERE job = :job AND coalesce(leased_until, due_at) <= :before AND leased_until IS NULL
    ORDER BY coalesce(leased_until, due_at) LIMIT 1 FOR UPDATE""")


def is_neglected(tx: Tx, job: str, before: datetime) -> bool:
    """Say whether one of `due` is nobody's: a claim under way is waited for, and what it took is not.

    Raises `LockedError` where somebody holds a row for longer than a claim may take.
    """
    return tx.row(_NEGLECTED, job=job, before=before) is not None


_DUE: Final = sa.text("""
    SELECT count(*) AS items, min(due_at) AS oldest FROM (
      SELECT due_at FROM work
      WHERE job = :job AND coalesce(leased_until, due_at) <= :before AND leased_until IS NULL
      ORDER BY coalesce(leased_until, due_at) LIMIT :most) d""")


def due(tx: Tx, job: str, before: datetime) -> Row:
    """Count the rows of `job` due before `before`, unleased and unparked (at most 1000), and the oldest due time."""
    row = tx.row(_DUE, job=job, before=before, most=DUE_MAX)
    if row is None:
        raise AssertionError("an aggregate returns one row")
    return row
