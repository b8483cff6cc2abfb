"""Postings that a rule refused, kept for the auditor although their transaction is undone.

What is kept is the entry that the refusal names, or the only one of its set. Of a larger set whose
guilt is not named nothing is known yet: whoever posted it tries its halves.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from db.errors import EntryRefusedError, RuleBrokenError, detail_of, named
from db.tx import Rows, Tx
from domain.errors import RefusedError
from domain.ledger import EntryType

ThingT = TypeVar("ThingT")
Refusal = RuleBrokenError | RefusedError


class Refusable(NamedTuple):
    """An entry as it is kept if it is refused; `legs` are (debit, credit, amount) each, an account by its id or in words."""

    key: str
    type: EntryType
    legs: Sequence[Sequence[int | str]]


@contextmanager
def refusals_kept(
    tx: Tx, entries: Callable[[], Sequence[Refusable]], *, run: int | None, actor: str
) -> Iterator[None]:
    """Post within this: what a rule refuses is written down, once a run, when `tx` has been rolled back.

    What a server or a lock does to a posting is no refusal.
    """
    try:
        yield
    except (DBAPIError, RefusedError) as error:
        told = named(error)
        guilty = _guilty(error, told, entries)
        if guilty is not None:
            reason = str(told)
            tx.if_undone.append(lambda own: _keep(own, guilty, reason, run=run, actor=actor))
        raise


def attempt(tx: Tx, work: Callable[[], ThingT]) -> ThingT | Refusal:
    """Do a part by itself: what a rule refuses of it is undone, kept, and returned; what else is raised goes on.

    For one item, whose refusal is an answer about it: `tx` stays usable, and says what became of the item.
    """
    before = len(tx.if_undone)
    try:
        with tx.savepoint():
            return work()
    except (DBAPIError, RefusedError) as error:
        told = named(error)
        if not isinstance(told, Refusal):
            raise
        keeping = tx.if_undone[before:]
        del tx.if_undone[before:]
        for keep in keeping:
            keep(tx)
        return told


def _guilty(
    error: DBAPIError | RefusedError,
    told: Exception,
    entries: Callable[[], Sequence[Refusable]],
) -> Refusable | None:
    if not isinstance(told, RuleBrokenError | RefusedError):
        return None
    tried, named = entries(), _named(error)
    return next((e for e in tried if e.key == named), tried[0] if len(tried) == 1 else None)


def _named(error: DBAPIError | RefusedError) -> str | None:
    """The key of the entry that a refusal names."""
    if isinstance(error, DBAPIError):
        return detail_of(error)
    return error.entry if isinstance(error, EntryRefusedError) else None


_KEEP: Final = sa.text("""
    INSERT INTO rejected_postings (key, type, reason, content, actor, run)
    VALUES (:key, :type, :reason, CAST(:content AS jsonb), :actor, :run)
    ON CONFLICT (run, key) DO NOTHING""")


def _keep(tx: Tx, entry: Refusable, reason: str, *, run: int | None, actor: str) -> None:
    content = [dict(zip(("debit", "credit", "amount"), leg, strict=True)) for leg in entry.legs]
    tx.run(
        _KEEP,
        key=entry.key,
        type=entry.type.value,
        reason=reason,
        content=json.dumps(content),
        actor=actor,
        run=run,
    )


_LISTING: Final = sa.text("""
    SELECT id, at, type, key, reason, content, run, actor FROM rejected_postings
    WHERE id < coalesce(CAST(:after AS bigint), 9223372036854775807) AND (CAST(:type AS text) IS NULL OR type = :type)
    ORDER BY id DESC LIMIT :limit""")


def listing(tx: Tx, *, type_: EntryType | None, after: int | None, limit: int) -> Rows:
    """A page of refusals, newest first."""
    return tx.page(_LISTING, type=type_, after=after, limit=limit)
