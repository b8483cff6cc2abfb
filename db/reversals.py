"""Reversals: an entry's opposite, whole, once, made of what is in the books."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from db import ledger
from db.tx import Row, Tx
from domain.ledger import Entry, EntryType, Posting

_FIND: Final = sa.text("""
    SELECT e.key, e.id, e.currency, p.debit, p.credit, p.amount
    FROM unnest(CAST(:keys AS text[])) AS k (key) JOIN entries e USING (key) JOIN postings p ON p.entry = e.id
    ORDER BY e.key, p.debit, p.credit""")


def legs_of(tx: Tx, keys: Collection[str]) -> Mapping[str, Sequence[Row]]:
    """The legs of entries by their keys (id, currency, debit, credit, amount); what is not in the books is left out."""
    found = dict[str, list[Row]]()
    for row in tx.rows(_FIND, keys=list(keys)) if keys else ():
        found.setdefault(row.key, []).append(row)
    return found


def reverse(
    tx: Tx, legs: Mapping[str, Sequence[Row]], *, reason: str, run: int | None, actor: str
) -> int:
    """Post the opposite of entries, as `legs_of` told them; returns how many were new. Locks accounts.

    Raises `RuleBrokenError` where one would take a bounded account below zero: the money has left.
    """
    opposite = entries(tx, legs, reason=reason)
    return ledger.post(tx, opposite, run=run, actor=actor) if opposite else 0


def entries(tx: Tx, legs: Mapping[str, Sequence[Row]], *, reason: str) -> list[Entry]:
    """The opposite of entries, not posted yet: for whoever posts it with others, in one posting."""
    day = ledger.today(tx)
    return [
        Entry(
            type=EntryType.REVERSAL,
            key=f"reversal:{key}",
            currency=rows[0].currency,
            effective_on=day,
            postings=tuple(
                Posting(debit=row.credit, credit=row.debit, amount=row.amount) for row in rows
            ),
            cause=rows[0].id,
            reason=reason,
        )
        for key, rows in legs.items()
    ]
