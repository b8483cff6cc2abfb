"""Obligations as they are: their rows, what is open of them and what they received as the books say.

Lock order: work rows, obligations, receipts, dispersals, mortgages, lenders, accounts, totals, each in key order. Whoever
changes an obligation holds its work row, where it has one, and its row.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.accounts import Owner
from db.transitions import LeasedTx, hold
from db.tx import Tx
from domain.ledger import AccountKind

_K: Final = AccountKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """One obligation; amounts in minor units of its currency."""

    id: UUID
    external_id: str
    mortgage: UUID
    kind: str
    amount: int
    currency: str
    due_on: date
    principal: int
    fee_rate_ppm: int
    frequency: str
    generation: int
    settled_on: date | None
    method: str | None
    state: str
    open: int
    """The balance of its receivable."""
    received: int
    """What its receivable was credited by money, net of reversals and of what was given back."""
    given_back: int
    """What of it was given back out of suspense."""

    def account(self, kind: AccountKind) -> Owner:
        """The account of a kind that is the obligation's own: its receivable, its item in suspense."""
        return Owner(kind=kind, owner=str(self.id), currency=self.currency)

    def of_mortgage(self, kind: AccountKind) -> Owner:
        """The account of a kind that is its mortgage's."""
        return Owner(kind=kind, owner=str(self.mortgage), currency=self.currency)

    def of_system(self, kind: AccountKind) -> Owner:
        """The account of a kind that there is one of."""
        return Owner(kind=kind, owner="", currency=self.currency)


_LOCK: Final = sa.text("""
    SELECT FROM obligations WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE""")

JOURNAL: Final = """
    -- A refund out of suspense takes back what was received.
    CROSS JOIN LATERAL (
      -- By what its item gave, which is little: never by all that was ever divided.
      SELECT CAST(coalesce(sum(p.amount) FILTER (WHERE p.debit = (
               SELECT d.id FROM accounts d WHERE d.kind = 'control_allocation' AND d.owner = '' AND d.currency = o.currency)), 0) AS bigint)
               AS given_back
      FROM postings p
      WHERE p.credit = (
        SELECT s.id FROM accounts s WHERE s.kind = 'suspense' AND s.owner = CAST(o.id AS text) AND s.currency = o.currency)) g
    -- Money came in by these types alone; a reversal of one of them takes it back.
    CROSS JOIN LATERAL (
      SELECT (SELECT CAST(coalesce(sum(p.amount), 0) AS bigint) FROM postings p JOIN entries e ON e.id = p.entry
              WHERE p.credit = o.receivable AND e.type IN ('CASH_RECEIVED', 'CASH_APPLIED'))
             - (SELECT CAST(coalesce(sum(p.amount), 0) AS bigint) FROM postings p JOIN entries e ON e.id = p.entry
                JOIN entries c ON c.id = e.cause
                WHERE p.debit = o.receivable AND e.type = 'REVERSAL' AND c.type IN ('CASH_RECEIVED', 'CASH_APPLIED'))
             - g.given_back AS received) j"""
"""What the journal says that an obligation `o` received: `j.received`, net of reversals and of `g.given_back`."""

_READ: Final = sa.text(f"""
    SELECT o.id, o.external_id, o.mortgage, o.kind, o.amount, o.currency, o.due_on, o.principal, o.fee_rate_ppm, o.frequency,
           o.generation, o.settled_on, o.method, o.state, b.debits - b.credits AS open, j.received, g.given_back
    FROM obligations o JOIN balances b ON b.account = o.receivable {JOURNAL}
    WHERE o.id = ANY(CAST(:ids AS uuid[])) ORDER BY o.id""")


def read(tx: Tx, ids: Collection[UUID]) -> list[Obligation]:
    """Obligations as they are, in the order of their ids."""
    return [Obligation(**row._asdict()) for row in tx.rows(_READ, ids=list(ids))] if ids else []


def grip(
    tx: LeasedTx | Tx, ids: Collection[UUID], *, run: int | None, actor: str
) -> tuple[LeasedTx, list[Obligation]]:
    """Hold obligations to the end of this transaction, and read them; in the order of their ids."""
    leased = hold(tx, ids, run=run, actor=actor)
    if ids:
        leased.rows(_LOCK, ids=sorted(ids))
    return leased, read(leased, ids)


_NAMED: Final = sa.text("""
    SELECT id, external_id FROM obligations WHERE external_id = ANY(CAST(:names AS text[]))""")


def named(tx: Tx, external_ids: Sequence[str]) -> dict[str, UUID]:
    """The obligations that other systems call so; what there is none of is left out."""
    rows = tx.rows(_NAMED, names=list(external_ids)) if external_ids else ()
    return {row.external_id: row.id for row in rows}
