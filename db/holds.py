"""Work rows locked for one transaction: where claim and settle are one, the row lock is the lease.

A claim that is committed before it is settled must be seen by others: it writes a token and an end. A
Chore and an operation settle what they lock before they commit, so nobody could ever see what they
would write. They only lock. Whoever dies takes the lock along, and the row is as it was; a worker
whose call is under way meanwhile is fenced by the row's end, as by another token.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx
from db.work import ClaimOrder, Held

_READY: Final = """FROM work
    WHERE job = :job AND coalesce(leased_until, due_at) <= (SELECT clock_timestamp())
      AND (CAST(:only AS uuid[]) IS NULL OR subject = ANY(CAST(:only AS uuid[])))
      AND NOT EXISTS (SELECT FROM switches WHERE is_on AND name = ANY(CAST(:gates AS text[])))
    ORDER BY coalesce(leased_until, due_at) LIMIT :limit FOR UPDATE SKIP LOCKED"""
"""Ready rows, nearest first; rows others are working on are skipped, never waited for."""
_TAKE: Final = sa.text(f"""
    SELECT job, subject, 0 AS token, claims, tries, waiting_since {_READY}""")


def take(tx: Tx, job: str, order: ClaimOrder) -> list[Held]:
    """Lock up to `order.limit` ready rows of `job`."""
    return list(map(Held._make, tx.rows(_TAKE, **_asked(job, order))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A set of locked rows for one statement to settle: array literals, of which no value of Python is made."""

    taken: int
    subjects: str
    """uuid[]"""
    places: str
    """tid[]: where each row is, and stays while it is locked."""


_TAKE_WHOLE: Final = sa.text(f"""
    SELECT count(*) AS taken, CAST(array_agg(w.subject) AS text) AS subjects, CAST(array_agg(w.place) AS text) AS places
    FROM (SELECT subject, ctid AS place {_READY}) w""")


def take_whole(tx: Tx, job: str, order: ClaimOrder) -> Whole | None:
    """Lock as `take` does, where millions are taken; None where nothing is ready."""
    row = tx.row(_TAKE_WHOLE, **_asked(job, order))
    assert row is not None, "an aggregate has one row"
    return Whole(**row._asdict()) if row.taken else None


def _asked(job: str, order: ClaimOrder) -> dict[str, object]:
    only = None if order.only is None else list(order.only)
    return {"job": job, "only": only, "limit": order.limit, "gates": list(order.gates)}


_HOLD: Final = sa.text("""
    SELECT job, subject, 0 AS token, claims, tries, waiting_since, leased_until > clock_timestamp() AS is_leased FROM work
    WHERE subject = ANY(CAST(:subjects AS uuid[])) ORDER BY subject, job FOR UPDATE""")
_HOLD_KINDS: Final = sa.text("""
    SELECT w.job, w.subject, 0 AS token, w.claims, w.tries, w.waiting_since, w.leased_until > clock_timestamp() AS is_leased
    FROM unnest(CAST(:subjects AS uuid[])) WITH ORDINALITY AS s (subject, n) JOIN work w ON w.subject = s.subject
    ORDER BY s.n, w.job FOR UPDATE OF w""")


def hold(tx: Tx, *subjects: Collection[UUID], spared: Collection[UUID] = frozenset()) -> list[Held]:
    """Lock the rows of `subjects`, whoever holds them; those that wait for nothing have none.

    In key order; of several kinds of subjects one kind after another, as they are given. A row of `spared`
    that is under a live lease is left to its holder.
    """
    kinds = [kind for kind in subjects if kind]
    if not kinds:
        return []
    ordered = [subject for kind in kinds for subject in sorted(kind)]
    rows = tx.rows(_HOLD if len(kinds) == 1 else _HOLD_KINDS, subjects=ordered)
    return [
        Held._make(row[:-1])
        for row in rows
        if not (spared and row.is_leased and row.subject in spared)
    ]
