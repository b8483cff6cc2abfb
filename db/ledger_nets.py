"""Balances and totals of entries that a statement of the caller's own has posted.

For writers of very large sets: entries and postings go in with the rows they are for, and only the
net of it all is kept here, with the locks of `db.ledger`, in its order, at the end.
"""

from typing import Final

import sqlalchemy as sa

from db.tx import Tx
from domain.errors import BrokenError
from domain.ledger import EntryType


class Nets:
    """What has been posted so far: debits and credits by account, entries by type and currency."""

    def __init__(self) -> None:
        self.accounts: dict[int, list[int]] = {}
        self.totals: dict[tuple[str, str], list[int]] = {}

    def add(
        self, kind: EntryType, currency: str, debit: int, credit: int, amount: int, entries: int
    ) -> None:
        """Count `entries` entries that debit account `debit` and credit `credit` with `amount` in all."""
        self.accounts.setdefault(debit, [0, 0])[0] += amount
        self.accounts.setdefault(credit, [0, 0])[1] += amount
        total = self.totals.setdefault((kind.value, currency), [0, 0])
        total[0] += entries
        total[1] += amount


_KEEP: Final = sa.text("""
    -- Balances are locked in key order before any is changed; each is changed once, by the set's net.
    WITH locked AS MATERIALIZED (
      SELECT b.account, b.stripe, n.debits, n.credits
      FROM unnest(CAST(:accounts AS bigint[]), CAST(:debits AS bigint[]), CAST(:credits AS bigint[]))
        AS n (account, debits, credits)
      JOIN balances b ON b.account = n.account AND b.stripe = 0
      ORDER BY b.account, b.stripe FOR UPDATE OF b)
    UPDATE balances b SET debits = b.debits + l.debits, credits = b.credits + l.credits
    FROM locked l WHERE b.account = l.account AND b.stripe = l.stripe""")

_TOTALS: Final = sa.text("""
    INSERT INTO ledger_totals AS t (type, currency, stripe, entries, amount)
    SELECT type, currency, 0, entries, amount
    FROM unnest(CAST(:types AS text[]), CAST(:currencies AS text[]), CAST(:counts AS bigint[]), CAST(:amounts AS bigint[]))
      AS n (type, currency, entries, amount) ORDER BY type, currency
    ON CONFLICT (type, currency, stripe) DO UPDATE SET entries = t.entries + excluded.entries, amount = t.amount + excluded.amount""")


def keep(tx: Tx, nets: Nets) -> None:
    """Add `nets` to stripe 0 of balances and totals, in lock order."""
    if not nets.accounts:
        return
    changed = tx.run(
        _KEEP,
        accounts=list(nets.accounts),
        debits=[debit for debit, _ in nets.accounts.values()],
        credits=[credit for _, credit in nets.accounts.values()],
    )
    if changed != len(nets.accounts):
        raise BrokenError(
            f"{len(nets.accounts) - changed} accounts that were posted to do not exist"
        )
    tx.run(
        _TOTALS,
        types=[kind for kind, _ in nets.totals],
        currencies=[currency for _, currency in nets.totals],
        counts=[count for count, _ in nets.totals.values()],
        amounts=[amount for _, amount in nets.totals.values()],
    )
