"""Work rows locked for one transaction: where claim and settle are one, the row lock is the lease.

A claim that is committed before it is settled must be seen by others: it writes a token and an end. A
Chore and an operation settle what they lock before they commit, so nobody could ever see what they
would write. They only lock. Whoever dies takes the lock along, and the row is as it was; a worker
whose call is under way meanwhile is fenced by the row's end, as by another token.
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx
from db.work import ClaimOrder, Held

_TAKE: Final = sa.text("""
    -- Ready rows, nearest first; rows others are working on are skipped, never waited for.
    SELECT job, subject, 0 AS token, claims, tries, waiting_since FROM work
    WHERE job = :job AND coalesce(leased_until, due_at) <= (SELECT clock_timestamp())
      AND (CAST(:only AS uuid[]) IS NULL OR subject = ANY(CAST(:only AS uuid[])))
      AND NOT EXISTS (SELECT FROM switches WHERE is_on AND name = ANY(CAST(:gates AS text[])))
    ORDER BY coalesce(leased_until, due_at) LIMIT :limit FOR UPDATE SKIP LOCKED""")


def take(tx: Tx, job: str, order: ClaimOrder) -> list[Held]:
    """Lock up to `order.limit` ready rows of `job`."""
    rows = tx.rows(
        _TAKE,
        job=job,
        only=None if order.only is None else list(order.only),
        limit=order.limit,
        gates=list(order.gates),
    )
    return list(map(Held._make, rows))


_HOLD: Final = sa.text("""
    SELECT job, subject, 0 AS token, claims, tries, waiting_since FROM work
    WHERE subject = ANY(CAST(:subjects AS uuid[])) ORDER BY job, subject FOR UPDATE""")


def hold(tx: Tx, subjects: Collection[UUID]) -> list[Held]:
    """Lock the rows of `subjects`, whoever holds them, in key order; those that wait for nothing have none."""
    return list(map(Held._make, tx.rows(_HOLD, subjects=sorted(subjects))))
