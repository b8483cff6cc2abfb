"""Seals: a chain of hashes over the books, made of entries that are committed, behind whoever posts.

A post takes its ids from a sequence, so one that is under way may hold ids below others that are committed. A range is
sealed when nobody can add to it any more: the highest block of ids is read first, then who holds the lock that every
INSERT into `entries` takes before it draws its ids. Whoever draws ids later draws higher ones. When those holders are
gone, every entry up to that block is committed or never will be. Nobody waits for this, and it writes to no table that
a post writes to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from db.ledger import BLOCK
from db.tx import Tx

SEAL_MAX: Final = 1_000
"""Entries of one seal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """The last id that was given out at a moment, and who may have been posting then."""

    last: int
    holders: Sequence[str]


_BLOCK: Final = sa.text("SELECT coalesce(pg_sequence_last_value('entry_blocks'), 0)")
_HOLDERS: Final = sa.text("""
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND relation = CAST('entries' AS regclass) AND mode = 'RowExclusiveLock'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND pid <> pg_backend_pid()""")


def horizon(tx: Tx) -> Horizon:
    """How far ids are given out, and who may still be posting up to there."""
    block = tx.scalar(_BLOCK)
    return Horizon(last=(block + 1) * BLOCK, holders=holders(tx))


def holders(tx: Tx) -> list[str]:
    """The transactions that may be posting now."""
    return [row.virtualtransaction for row in tx.rows(_HOLDERS)]


_SEAL: Final = sa.text("""
    WITH chain AS MATERIALIZED (
      SELECT coalesce(max(number), 0) AS number, coalesce(max(last_entry), 0) AS last_entry FROM ledger_seals),
    range AS MATERIALIZED (
      SELECT count(*) AS entries, max(id) AS last FROM (
        SELECT e.id FROM entries e WHERE e.id > (SELECT last_entry FROM chain) AND e.id <= :last ORDER BY e.id LIMIT :most) x)
    INSERT INTO ledger_seals (number, after_entry, last_entry, entries, hash)
    SELECT c.number + 1, c.last_entry, r.last, r.entries,
           sealed_hash(coalesce((SELECT hash FROM ledger_seals WHERE number = c.number), ''), c.last_entry, r.last)
    FROM chain c CROSS JOIN range r WHERE r.entries > 0
    RETURNING entries""")


def seal(tx: Tx, last: int) -> int:
    """Seal the next entries up to id `last`, to which nobody can add any more; returns how many."""
    return tx.scalar(_SEAL, last=last, most=SEAL_MAX) or 0
