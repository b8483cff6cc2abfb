"""The books, read: a handful of balance rows for today, postings for any other day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from db.tx import Row, Rows, Tx

_TRIAL: Final = sa.text("""
    SELECT a.kind, a.currency, a.normal, count(DISTINCT a.id) AS accounts,
           CAST(sum(b.debits) AS bigint) AS debits_minor, CAST(sum(b.credits) AS bigint) AS credits_minor,
           CAST(sum(CASE a.normal WHEN 'D' THEN b.debits - b.credits ELSE b.credits - b.debits END) AS bigint) AS balance_minor
    FROM accounts a JOIN balances b ON b.account = a.id
    GROUP BY a.kind, a.currency, a.normal ORDER BY a.currency, a.kind""")


_TRIAL_AT: Final = sa.text("""
    WITH sides AS (
      SELECT s.account, sum(s.debits) AS debits, sum(s.credits) AS credits
      FROM postings p CROSS JOIN LATERAL (VALUES (p.debit, p.amount, 0), (p.credit, 0, p.amount)) AS s (account, debits, credits)
      WHERE p.at < :at GROUP BY s.account)
    SELECT a.kind, a.currency, a.normal, count(*) AS accounts,
           CAST(sum(s.debits) AS bigint) AS debits_minor, CAST(sum(s.credits) AS bigint) AS credits_minor,
           CAST(sum(CASE a.normal WHEN 'D' THEN s.debits - s.credits ELSE s.credits - s.debits END) AS bigint) AS balance_minor
    FROM sides s JOIN accounts a ON a.id = s.account
    GROUP BY a.kind, a.currency, a.normal ORDER BY a.currency, a.kind""")


def trial_balance(tx: Tx, at: datetime | None = None) -> Rows:
    """Debits, credits and balance (on the normal side) by kind of account and currency; now, or before `at`.

    `at` counts the accounts that something was posted to by then, and reads every posting: give it time.
    """
    return tx.page(_TRIAL) if at is None else tx.page(_TRIAL_AT, at=at)


_TOTALS: Final = sa.text("""
    SELECT type, currency, CAST(sum(entries) AS bigint) AS entries, CAST(sum(amount) AS bigint) AS amount_minor
    FROM ledger_totals GROUP BY type, currency ORDER BY currency, type""")


def totals(tx: Tx) -> Sequence[Row]:
    """Entries and amount by type of entry and currency."""
    return tx.rows(_TOTALS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """Which accounts to list; None does not narrow. `after` is the id the last page ended with."""

    kind: str | None = None
    owner: str | None = None
    after: int | None = None
    limit: int = 50


_ACCOUNTS: Final = sa.text("""
    WITH page AS MATERIALIZED (
      SELECT * FROM accounts
      WHERE id > coalesce(CAST(:after AS bigint), 0)
        AND (CAST(:kind AS text) IS NULL OR kind = :kind) AND (CAST(:owner AS text) IS NULL OR owner = :owner)
      ORDER BY id LIMIT :limit)
    SELECT a.id, a.kind, a.owner, y.name AS payee, a.currency, CASE a.normal WHEN 'D' THEN 'debit' ELSE 'credit' END AS normal,
           b.debits_minor, b.credits_minor,
           CASE a.normal WHEN 'D' THEN b.debits_minor - b.credits_minor ELSE b.credits_minor - b.debits_minor END AS balance_minor
    FROM page a
    LEFT JOIN payees y ON y.id = CAST(CASE WHEN a.kind IN ('payee_payable', 'payee_receivable', 'wallet', 'lender_payable') THEN a.owner END AS uuid)
    CROSS JOIN LATERAL (
      SELECT CAST(coalesce(sum(debits), 0) AS bigint) AS debits_minor, CAST(coalesce(sum(credits), 0) AS bigint) AS credits_minor
      FROM balances WHERE account = a.id) b
    ORDER BY a.id""")


def accounts(tx: Tx, page: AccountPage) -> Rows:
    """A page of accounts by id, each with its balance on its normal side."""
    return tx.page(_ACCOUNTS, kind=page.kind, owner=page.owner, after=page.after, limit=page.limit)


_OWNER: Final = sa.text("""
    SELECT EXISTS (SELECT FROM accounts WHERE owner = :owner)
        OR EXISTS (SELECT FROM payees WHERE id = CASE WHEN :owner ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN CAST(:owner AS uuid) END)""")


def is_owner(tx: Tx, owner: str) -> bool:
    """Whether anybody is meant: a payee, also one without accounts yet, or whatever else has one."""
    return bool(tx.scalar(_OWNER, owner=owner))


_ENTRIES: Final = sa.text("""
    WITH page AS MATERIALIZED (
      SELECT * FROM entries
      WHERE id < coalesce(CAST(:after AS bigint), 9223372036854775807) AND (CAST(:type AS text) IS NULL OR type = :type)
      ORDER BY id DESC LIMIT :limit)
    SELECT e.id, e.type, e.key, e.effective_on, e.currency, p.amount AS amount_minor,
           p.debit, d.kind AS debit_kind, p.credit, c.kind AS credit_kind, e.run, e.actor, e.created_at
    FROM page e
    JOIN postings p ON p.entry = e.id
    JOIN accounts d ON d.id = p.debit JOIN accounts c ON c.id = p.credit
    ORDER BY e.id DESC, p.debit, p.credit""")

_ENTRIES_OF: Final = sa.text("""
    -- Narrowed before the page is cut: a page without rows must mean that no more follow.
    WITH page AS MATERIALIZED (
      (SELECT p.* FROM postings p JOIN entries e ON e.id = p.entry
       WHERE p.debit = :account AND p.entry < coalesce(CAST(:after AS bigint), 9223372036854775807) AND (CAST(:type AS text) IS NULL OR e.type = :type)
       ORDER BY p.entry DESC LIMIT :limit)
      UNION ALL
      (SELECT p.* FROM postings p JOIN entries e ON e.id = p.entry
       WHERE p.credit = :account AND p.entry < coalesce(CAST(:after AS bigint), 9223372036854775807) AND (CAST(:type AS text) IS NULL OR e.type = :type)
       ORDER BY p.entry DESC LIMIT :limit))
    SELECT e.id, e.type, e.key, e.effective_on, e.currency, p.amount AS amount_minor,
           p.debit, d.kind AS debit_kind, p.credit, c.kind AS credit_kind, e.run, e.actor, e.created_at
    FROM page p
    JOIN entries e ON e.id = p.entry
    JOIN accounts d ON d.id = p.debit JOIN accounts c ON c.id = p.credit
    ORDER BY e.id DESC, p.debit, p.credit LIMIT :limit""")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """Which entries to list; None does not narrow. `after` is the id the last page ended with."""

    account: int | None = None
    type: str | None = None
    after: int | None = None
    limit: int = 50


def entries(tx: Tx, page: EntryPage) -> Rows:
    """A page of entries, newest first, one row for each of their postings."""
    narrow = {"type": page.type, "after": page.after, "limit": page.limit}
    if page.account is None:
        return tx.page(_ENTRIES, **narrow)
    return tx.page(_ENTRIES_OF, account=page.account, **narrow)


_BALANCE: Final = sa.text("""
    SELECT a.id, a.kind, a.owner, a.currency, CASE a.normal WHEN 'D' THEN 'debit' ELSE 'credit' END AS normal,
           s.debits AS debits_minor, s.credits AS credits_minor,
           CASE a.normal WHEN 'D' THEN s.debits - s.credits ELSE s.credits - s.debits END AS balance_minor
    FROM accounts a CROSS JOIN LATERAL (
      SELECT CAST(coalesce(sum(debits), 0) AS bigint) AS debits, CAST(coalesce(sum(credits), 0) AS bigint) AS credits
      FROM balances WHERE account = a.id) s
    WHERE a.id = :account""")

_BALANCE_AT: Final = sa.text("""
    SELECT a.id, a.kind, a.owner, a.currency, CASE a.normal WHEN 'D' THEN 'debit' ELSE 'credit' END AS normal,
           s.debits AS debits_minor, s.credits AS credits_minor,
           CASE a.normal WHEN 'D' THEN s.debits - s.credits ELSE s.credits - s.debits END AS balance_minor
    FROM accounts a CROSS JOIN LATERAL (
      SELECT (SELECT CAST(coalesce(sum(amount), 0) AS bigint) FROM postings WHERE debit = a.id AND at < :at) AS debits,
             (SELECT CAST(coalesce(sum(amount), 0) AS bigint) FROM postings WHERE credit = a.id AND at < :at) AS credits) s
    WHERE a.id = :account""")


def balance(tx: Tx, account: int, at: datetime | None = None) -> Row | None:
    """One account's balance now, or as its postings before `at` made it; None when there is no such account.

    `at` reads every posting of the account: give it time on a large book.
    """
    if at is None:
        return tx.row(_BALANCE, account=account)
    return tx.row(_BALANCE_AT, account=account, at=at)
