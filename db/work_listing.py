"""What waits, since when and why: the work table as operators read it, and how they free what is parked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Rows, Tx
from domain.listings import WorkState


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPage:
    """Which rows to list; None does not narrow. `after` is the subject the last page ended with."""

    job: str | None = None
    state: WorkState | None = None
    after: UUID | None = None
    limit: int = 50


_WORK: Final = sa.text("""
    SELECT * FROM (
      SELECT job, subject,
           CASE WHEN parked_reason IS NOT NULL THEN 'parked' WHEN leased_until > clock_timestamp() THEN 'leased'
                WHEN coalesce(leased_until, due_at) > clock_timestamp() THEN 'delayed' ELSE 'due' END AS state,
           NULLIF(due_at, 'infinity') AS due_at, leased_until, holder, claims, tries, waiting_since, parked_reason, last_error
      FROM work) w
    WHERE subject > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000')
      AND (CAST(:job AS text) IS NULL OR job = :job) AND (CAST(:state AS text) IS NULL OR state = :state)
    ORDER BY subject, job LIMIT :limit""")


def listing(tx: Tx, page: WorkPage) -> Rows:
    """A page of work rows in the order of subjects, each with its `state`: due | delayed | leased | parked."""
    return tx.page(_WORK, job=page.job, state=page.state, after=page.after, limit=page.limit)


_UNPARK: Final = sa.text("""
    WITH mine AS MATERIALIZED (
      SELECT job, subject FROM work WHERE subject = ANY(CAST(:subjects AS uuid[])) AND parked_reason IS NOT NULL
      ORDER BY subject, job FOR UPDATE),
    freed AS (
      UPDATE work w SET due_at = clock_timestamp(), parked_reason = NULL, claims = 0, tries = 0
      FROM mine m WHERE w.job = m.job AND w.subject = m.subject RETURNING w.job, w.subject),
    told AS (
      INSERT INTO moves (kind, subject, source, target, actor, reason)
      SELECT 'work', subject, 'parked', 'due', :actor, :why FROM freed)
    SELECT job, subject FROM freed ORDER BY subject""")


def unpark(tx: Tx, subjects: Sequence[UUID], *, actor: str, why: str) -> Sequence[Row]:
    """Make parked rows due again with a clean count, and note who and why; returns (job, subject) of those."""
    return tx.rows(_UNPARK, subjects=list(subjects), actor=actor, why=why)


def parked(tx: Tx, job: str, limit: int) -> list[UUID]:
    """Subjects of `job` that are parked."""
    statement = sa.text(
        "SELECT subject FROM work WHERE job = :job AND coalesce(leased_until, due_at) = 'infinity' ORDER BY subject LIMIT :limit"
    )
    return [row.subject for row in tx.rows(statement, job=job, limit=limit)]


_IN_FLIGHT: Final = sa.text("""
    SELECT (SELECT count(*) FROM runs WHERE state = 'running') AS runs,
           (SELECT count(*) FROM work WHERE leased_until > clock_timestamp()) AS items""")


def in_flight(tx: Tx) -> Row:
    """How many runs are running, and how many items are in somebody's hands."""
    row = tx.row(_IN_FLIGHT)
    if row is None:
        raise AssertionError("a select without from returns one row")
    return row
