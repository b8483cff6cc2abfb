"""A payee's account over a time, from the books alone: what it was, each posting, what it is."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Tx
from domain.errors import BadInputError
from domain.ledger import AccountKind
from domain.payee_statements import (
    OWED,
    OWING,
    Balance,
    CurrencyStatement,
    Movement,
    PayeeStatement,
    Payment,
)

SECONDS: Final = 120.0
"""How long a statement may take: it reads every posting of the payee."""
MOVEMENTS_MAX: Final = 50_000

_ACCOUNT: Final = sa.text("""
    -- One statement, one snapshot: balances and postings are of the same moment.
    WITH theirs AS MATERIALIZED (
      SELECT id, kind, currency FROM accounts
      WHERE kind IN ('payee_payable', 'payee_receivable', 'wallet', 'lender_payable') AND owner = CAST(:payee AS text)),
    posted AS MATERIALIZED (
      SELECT a.id AS account, x.entry, x.at, x.change
      FROM theirs a
      CROSS JOIN LATERAL (
        SELECT entry, at, - amount AS change FROM postings WHERE debit = a.id
        UNION ALL
        SELECT entry, at, amount FROM postings WHERE credit = a.id) x),
    held AS (
      SELECT a.*, s.opening, b.balance - s.later AS closing
      FROM theirs a
      CROSS JOIN LATERAL (
        SELECT CAST(coalesce(sum(change) FILTER (WHERE at < :start), 0) AS bigint) AS opening,
               CAST(coalesce(sum(change) FILTER (WHERE at >= :end), 0) AS bigint) AS later
        FROM posted WHERE account = a.id) s
      CROSS JOIN LATERAL (
        SELECT CAST(coalesce(sum(credits - debits), 0) AS bigint) AS balance FROM balances WHERE account = a.id) b)
    SELECT h.kind, h.currency, h.opening, h.closing, m.at, m.change, n.type, n.effective_on,
           coalesce(p.external_id, g.external_id, n.key) AS document
    FROM held h
    LEFT JOIN posted m ON m.account = h.id AND m.at >= :start AND m.at < :end
    LEFT JOIN entries n ON n.id = m.entry
    LEFT JOIN payouts p ON p.id = CASE WHEN n.key ~ '^payout:[0-9a-f-]{36}:' THEN CAST(substr(n.key, 8, 36) AS uuid) END
    LEFT JOIN earnings g ON g.id = CASE WHEN n.key ~ '^earning:[0-9a-f-]{36}:' THEN CAST(substr(n.key, 9, 36) AS uuid) END
    ORDER BY h.currency, m.at NULLS FIRST, m.entry, h.kind LIMIT :limit""")

_PAYMENTS: Final = sa.text("""
    WITH theirs AS MATERIALIZED (
      SELECT id FROM accounts WHERE kind IN ('payee_payable', 'payee_receivable', 'wallet', 'lender_payable') AND owner = CAST(:payee AS text)),
    -- A payment was taken from what is owed, or is owed back: before it was completed, in either case.
    sent AS MATERIALIZED (
      SELECT DISTINCT CAST(substr(n.key, 8, 36) AS uuid) AS payout
      FROM theirs a
      JOIN postings s ON s.debit = a.id AND s.at < :end
      JOIN entries n ON n.id = s.entry
      WHERE n.type IN ('payout.submitted', 'payout.paid_late') AND n.key ~ '^payout:[0-9a-f-]{36}:')
    SELECT p.external_id, p.currency, p.completed_at, p.amount, p.tds_deducted, p.recovered,
           coalesce(p.net_amount, p.amount - p.tds_deducted) AS net, e.utr, p.state
    FROM sent x
    JOIN payouts p ON p.id = x.payout
    LEFT JOIN effects e ON e.key = p.effect_key
    WHERE p.completed_at >= :start AND p.completed_at < :end
    ORDER BY p.currency, p.completed_at, p.id LIMIT :limit""")


def statement(tx: Tx, payee: UUID, name: str, *, start: datetime, end: datetime) -> PayeeStatement:
    """What the books say of a payee from `start` until `end`, which is not included.

    Raises `BadInputError` where that is more than `MOVEMENTS_MAX` postings or payments;
    `CurrencyStatement.check` says whether it may be told.
    """
    span = {"payee": payee, "start": start, "end": end, "limit": MOVEMENTS_MAX + 1}
    rows, payments = tx.rows(_ACCOUNT, **span), tx.rows(_PAYMENTS, **span)
    if max(len(rows), len(payments)) > MOVEMENTS_MAX:
        rule = f"leaves more than {MOVEMENTS_MAX} movements for one statement: go in steps"
        raise BadInputError("--to", f"{end:%Y-%m-%d}", rule)
    return PayeeStatement(
        payee=name,
        start=start,
        end=end,
        currencies=[
            _of_currency(currency, list(group), [p for p in payments if p.currency == currency])
            for currency, group in groupby(rows, key=lambda row: row.currency)
        ],
    )


def _of_currency(currency: str, rows: Sequence[Row], payments: Sequence[Row]) -> CurrencyStatement:
    opening = {row.kind: row.opening for row in rows}
    movements, balance = list[Movement](), sum(opening.values())
    for row in rows:
        if row.at is None:
            continue
        balance += row.change
        movements.append(_movement(row, balance))
    return CurrencyStatement(
        currency=currency,
        opening=_balance(opening),
        closing=_balance({row.kind: row.closing for row in rows}),
        movements=movements,
        payments=[_payment(row) for row in payments],
    )


def _balance(held: dict[str, int]) -> Balance:
    return Balance(
        owed_minor=sum(held.get(kind, 0) for kind in OWED),
        owing_minor=-sum(held.get(kind, 0) for kind in OWING),
    )


def _movement(row: Row, balance: int) -> Movement:
    return Movement(
        at=row.at,
        effective_on=row.effective_on,
        type=row.type,
        document=row.document,
        account=AccountKind(row.kind),
        change_minor=row.change,
        balance_minor=balance,
    )


def _payment(row: Row) -> Payment:
    return Payment(
        payout=row.external_id,
        paid_at=row.completed_at,
        gross_minor=row.amount,
        tax_minor=row.tds_deducted,
        recovered_minor=row.recovered,
        net_minor=row.net,
        utr=row.utr,
        state=row.state,
    )
