"""Every leg of the books that is about one obligation: owed, received, divided, set apart, paid, and what was reversed."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as people know it: `owner` is the lender's or mortgage's external id, else what the books call it."""

    id: int
    kind: str
    owner: str
    normal: str
    """D or C."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One leg of an entry; `amount` in minor units of its currency."""

    key: str
    type: str
    effective_on: date
    currency: str
    debit: Account
    credit: Account
    amount: int


_ENTRIES: Final = sa.text("""
    -- Keys of entries begin with what they are about, so each of these is a range of the keys' index.
    WITH asked AS MATERIALIZED (
      SELECT concat(word, ':', CAST(:id AS uuid)) AS beginning
      FROM unnest(ARRAY['obligation', 'allocation', 'servicing-fee', 'suspense-escalation', 'suspense-resolved',
                        'suspense-borne']) AS w (word)
      UNION ALL SELECT concat('receipt:', id) FROM receipts WHERE obligation = :id
      UNION ALL SELECT concat('disbursement:', id) FROM dispersals WHERE obligation = :id),
    -- Whatever touches what is its own, under any key: its receivable, its item in suspense.
    own AS MATERIALIZED (
      SELECT a.id FROM obligations o
      JOIN accounts a ON a.kind IN ('borrower_receivable', 'suspense') AND a.owner = CAST(o.id AS text) AND a.currency = o.currency
      WHERE o.id = :id),
    about AS MATERIALIZED (
      SELECT e.id FROM asked a JOIN entries e ON e.key >= a.beginning COLLATE "C" AND e.key < a.beginning || ';' COLLATE "C"
      UNION SELECT p.entry FROM own JOIN postings p ON p.debit = own.id
      UNION SELECT p.entry FROM own JOIN postings p ON p.credit = own.id)
    SELECT id FROM about UNION
    SELECT r.id FROM about a CROSS JOIN LATERAL (SELECT id FROM entries r WHERE r.cause = a.id AND r.type = 'REVERSAL') r""")
_LEGS: Final = sa.text("""
    SELECT e.id, e.key, e.type, e.effective_on, e.currency, p.debit, p.credit, p.amount
    FROM entries e JOIN postings p ON p.entry = e.id
    WHERE e.id = ANY(CAST(:ids AS bigint[])) AND p.entry = ANY(CAST(:ids AS bigint[])) ORDER BY e.id, p.debit, p.credit""")
_ACCOUNTS: Final = sa.text("""
    SELECT a.id, a.kind, a.normal, coalesce(
      CASE WHEN a.kind = 'lender_payable' THEN (SELECT l.external_id FROM lenders l WHERE l.payee = CAST(nullif(a.owner, '') AS uuid))
           WHEN a.kind IN ('trust_cash', 'unapplied_cash')
             THEN (SELECT m.external_id FROM mortgages m WHERE m.id = CAST(nullif(a.owner, '') AS uuid)) END, a.owner) AS owner
    FROM accounts a WHERE a.id = ANY(CAST(:ids AS bigint[]))""")


def legs(tx: Tx, obligation: UUID) -> list[Leg]:
    """The legs, in the order in which they were posted."""
    entries = [row.id for row in tx.rows(_ENTRIES, id=obligation)]
    found = tx.rows(_LEGS, ids=entries)
    asked = sorted({account for row in found for account in (row.debit, row.credit)})
    accounts = {row.id: Account(**row._asdict()) for row in tx.rows(_ACCOUNTS, ids=asked)}
    return [
        Leg(
            key=row.key,
            type=row.type,
            effective_on=row.effective_on,
            currency=row.currency,
            debit=accounts[row.debit],
            credit=accounts[row.credit],
            amount=row.amount,
        )
        for row in found
    ]
