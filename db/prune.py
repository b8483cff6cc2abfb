"""Make room: months ahead are made, what nobody needs any more goes, in bounded batches.

What stays for ever: effects, entries, postings, moves, answers and events, since a replay or an
auditor may ask for them; notices that nobody heard; and runs asked for under a caller's own request key, which promises the
same run for ever. A tick's key is kept by its row in `ticks`, and a watch's by its minute, so their
runs may go. Entries, moves and answers keep the number of a run that is gone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx

RUN_DAYS: Final = 90
"""Days after its end for which a run is kept."""
KEY_DAYS: Final = 30
"""Days for which the same key of an operation is the same answer; a checkout is the same payment for ever."""
NOTICE_DAYS: Final = 90
"""Days after it was heard for which a notice is kept, to be shown and compared; its moves stay."""
ATTEMPT_MONTHS: Final = 13
WORKER_DAYS: Final = 1
"""Days of silence after which a worker is forgotten."""


def make_partitions(tx: Tx) -> int:
    """Make this month's partitions and those of the next three; returns how many were missing."""
    made: int = tx.scalar(sa.text("SELECT make_partitions()"))
    return made


def drop_attempts(tx: Tx) -> list[str]:
    """Drop the months of run attempts that are older than 13 months; returns their names."""
    rows = tx.rows(sa.text("SELECT drop_run_attempts(:months) AS name"), months=ATTEMPT_MONTHS)
    return [row.name for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """One batch: `deleted` of the runs after the last one; `after` None means there are no older ones."""

    deleted: int
    after: int | None


_RUNS: Final = sa.text("""
    WITH page AS MATERIALIZED (
      SELECT id, state, origin, request_key, created_at, ended_at FROM runs WHERE id > :after ORDER BY id LIMIT :limit),
    old AS MATERIALIZED (
      SELECT p.* FROM page p WHERE p.created_at < clock_timestamp() - make_interval(days => :days)),
    gone AS (
      DELETE FROM runs r USING old o
      WHERE r.id = o.id AND o.ended_at < clock_timestamp() - make_interval(days => :days)
        AND r.state NOT IN ('queued', 'held', 'running')
        AND (r.request_key IS NULL OR r.origin IN ('tick', 'watch'))
      RETURNING r.id)
    -- Ids grow with time: a page that is not wholly old is the last.
    SELECT (SELECT count(*) FROM gone) AS deleted,
           CASE WHEN count(*) = :limit AND count(*) = (SELECT count(*) FROM page) THEN max(id) END AS after
    FROM old""")


def runs(tx: Tx, after: int, limit: int) -> Pruned:
    """Delete runs that ended more than 90 days ago, among the next `limit` runs after `after`."""
    row = tx.row(_RUNS, after=after, limit=limit, days=RUN_DAYS)
    if row is None:
        raise AssertionError("an aggregate returns one row")
    return Pruned(deleted=row.deleted, after=row.after)


NoticeKey = tuple[datetime, UUID]
"""A notice's place in the order of their ages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunedNotices:
    """One batch: `deleted` of the notices after the last one; `after` None means there are no older ones."""

    deleted: int
    after: NoticeKey | None


_NOTICES: Final = sa.text("""
    WITH old AS MATERIALIZED (
      SELECT id, created_at FROM notices
      WHERE (created_at, id) > (CAST(:at AS timestamptz), CAST(:id AS uuid))
        AND created_at < clock_timestamp() - make_interval(days => :days)
      ORDER BY created_at, id LIMIT :limit),
    gone AS (
      DELETE FROM notices n USING old o
      WHERE n.id = o.id AND n.state = 'DELIVERED' AND n.updated_at < clock_timestamp() - make_interval(days => :days)
      RETURNING n.id)
    SELECT (SELECT count(*) FROM gone) AS deleted, l.created_at, l.id
    FROM (SELECT count(*) AS looked_at FROM old) s
    LEFT JOIN LATERAL (
      SELECT created_at, id FROM old WHERE s.looked_at = :limit ORDER BY created_at DESC, id DESC LIMIT 1) l ON true""")

FIRST_NOTICE: Final = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


def notices(tx: Tx, after: NoticeKey, limit: int) -> PrunedNotices:
    """Delete notices that were heard more than 90 days ago, among the next `limit` old ones after `after`."""
    at, id_ = after
    row = tx.row(_NOTICES, at=at, id=id_, limit=limit, days=NOTICE_DAYS)
    if row is None:
        raise AssertionError("an aggregate returns one row")
    return PrunedNotices(
        deleted=row.deleted, after=None if row.id is None else (row.created_at, row.id)
    )


_KEYS: Final = sa.text("""
    WITH old AS MATERIALIZED (
      SELECT application, actor, key FROM idempotency_keys
      WHERE created_at < clock_timestamp() - make_interval(days => :days) ORDER BY created_at LIMIT :limit)
    DELETE FROM idempotency_keys k USING old o
    WHERE k.application = o.application AND k.actor = o.actor AND k.key = o.key""")


def idempotency_keys(tx: Tx, limit: int) -> int:
    """Delete up to `limit` answers that were kept for 30 days; returns how many there were."""
    return tx.run(_KEYS, days=KEY_DAYS, limit=limit)


def workers(tx: Tx) -> list[str]:
    """Forget processes that have been silent for a day; returns their names."""
    statement = sa.text("""
        DELETE FROM workers WHERE beat_at < clock_timestamp() - make_interval(days => :days) RETURNING id""")
    return [row.id for row in tx.rows(statement, days=WORKER_DAYS)]
