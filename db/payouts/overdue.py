"""Payouts that wait for their provider longer than they should: found through their work, never through history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Tx
from domain.payouts import FOLLOW, RECOVER

ASKED: Final = (FOLLOW, RECOVER)
"""The jobs that ask a provider."""

_PAGE: Final = """
    WITH page AS MATERIALIZED (
      SELECT subject, job, parked_reason, last_error FROM work
      WHERE subject > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000') AND job = ANY(CAST(:jobs AS text[]))
      ORDER BY subject LIMIT :limit),
    waiting AS MATERIALIZED (
      SELECT w.subject, w.job, w.parked_reason, w.last_error, p.state, e.provider_id, e.status, e.first_sent_at,
             clock_timestamp() - e.first_sent_at AS age
      FROM page w JOIN payouts p ON p.id = w.subject JOIN effects e ON e.key = p.effect_key)
    SELECT seen.looked_at, seen.last, x.*
    FROM (SELECT count(*) AS looked_at, (SELECT subject FROM page ORDER BY subject DESC LIMIT 1) AS last FROM page) seen"""

_STUCK: Final = sa.text(f"""{_PAGE}
    LEFT JOIN waiting x ON x.state = 'PROCESSING' AND x.age > CAST(:older AS interval)
      OR x.job = :follow AND x.last_error = :unknown
    ORDER BY x.subject""")

_TO_RECONCILE: Final = sa.text(f"""{_PAGE}
    LEFT JOIN waiting x ON x.state = 'PROCESSING' AND x.provider_id IS NOT NULL
        AND x.age > CAST(:older AS interval) AND x.age <= CAST(:younger AS interval)
      OR x.state = 'COMPLETED' AND x.status <> ALL(CAST(:paid AS text[]))
    ORDER BY x.subject""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """One page: how many waiting payouts were looked at, those to ask about; `after` None ends it."""

    looked_at: int
    after: UUID | None
    rows: Sequence[Row]


def stuck(tx: Tx, after: UUID | None, limit: int, *, older: timedelta, unknown: str) -> Overdue:
    """Those PROCESSING for longer than `older`, or of which their provider said the words `unknown`."""
    found = tx.rows(
        _STUCK,
        after=after,
        jobs=list(ASKED),
        limit=limit,
        older=older,
        follow=FOLLOW,
        unknown=unknown,
    )
    return _overdue(found, limit)


def to_reconcile(
    tx: Tx,
    after: UUID | None,
    limit: int,
    *,
    older: timedelta,
    younger: timedelta,
    paid: Sequence[str],
) -> Overdue:
    """Those named by their provider and PROCESSING for so long; those COMPLETED whose provider's word is not of `paid`."""
    found = tx.rows(
        _TO_RECONCILE,
        after=after,
        jobs=list(ASKED),
        limit=limit,
        older=older,
        younger=younger,
        paid=list(paid),
    )
    return _overdue(found, limit)


def _overdue(found: Sequence[Row], limit: int) -> Overdue:
    first = found[0]
    return Overdue(
        looked_at=first.looked_at,
        after=first.last if first.looked_at == limit else None,
        rows=[row for row in found if row.subject is not None],
    )


_PULL: Final = sa.text("""
    -- What somebody holds is being worked on; what is parked waits for a person.
    WITH mine AS MATERIALIZED (
      SELECT subject, job FROM work
      WHERE subject = ANY(CAST(:subjects AS uuid[])) AND job = ANY(CAST(:jobs AS text[]))
        AND leased_until IS NULL AND parked_reason IS NULL AND due_at > clock_timestamp()
      ORDER BY subject, job FOR UPDATE SKIP LOCKED)
    UPDATE work w SET due_at = clock_timestamp() FROM mine m WHERE w.subject = m.subject AND w.job = m.job RETURNING w.subject""")


def pull_forward(tx: Tx, payouts: Sequence[UUID], jobs: Sequence[str] = ASKED) -> list[UUID]:
    """Let `jobs` (those that ask) take these now rather than later; returns those that were waiting for later."""
    if not payouts:
        return []
    return [row.subject for row in tx.rows(_PULL, subjects=list(payouts), jobs=list(jobs))]
