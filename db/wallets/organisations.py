"""Organisations, who belongs to them, and the log of their wallets: read from the books, so that it cannot differ.

A log has one row for each entry that touched a wallet, which is one for each leg of a checkout or of what
was given back; with what the wallet held after it. Whoever takes from a wallet holds its row first, and
entries are numbered as they are written, so in their order no wallet was ever below zero.
"""

from typing import Final

import sqlalchemy as sa

from db.tx import Rows, Tx
from domain.owners import OrganisationOwner, owned_by

_PAGE: Final = sa.text("""
    WITH page AS MATERIALIZED (
      SELECT id, name FROM payees WHERE kind = 'organisation' AND name > coalesce(CAST(:after AS text), '')
      ORDER BY name LIMIT :limit)
    SELECT p.name, p.id, (SELECT count(*) FROM customers c WHERE c.organisation = p.id) AS customers,
           w.currency, b.credits - b.debits AS balance_minor, w.id AS wallet
    FROM page p LEFT JOIN wallets w ON w.payee = p.id LEFT JOIN balances b ON b.account = w.account
    ORDER BY p.name, w.currency""")


def listing(tx: Tx, *, after: str | None, limit: int) -> Rows:
    """A page of organisations by name, how many customers each pays for, and its wallets: a row for each."""
    return tx.page(_PAGE, after=after, limit=limit)


_SIGNED: Final = """
        SELECT entry, at, amount AS minor FROM postings WHERE credit = w.account AND entry {bound}
        UNION ALL
        SELECT entry, at, - amount FROM postings WHERE debit = w.account AND entry {bound}"""
_LOG: Final = sa.text(f"""
    WITH theirs AS MATERIALIZED (
      SELECT w.account, w.currency, b.credits - b.debits AS balance
      FROM wallets w JOIN balances b ON b.account = w.account WHERE w.payee = :organisation),
    -- The newest entries of each wallet, found by index; an entry may have touched it in several postings.
    last AS MATERIALIZED (
      SELECT w.account, e.entry
      FROM theirs w CROSS JOIN LATERAL (
        SELECT entry FROM (
          (SELECT DISTINCT entry FROM postings WHERE credit = w.account AND entry < :before ORDER BY entry DESC LIMIT :limit)
          UNION
          (SELECT DISTINCT entry FROM postings WHERE debit = w.account AND entry < :before ORDER BY entry DESC LIMIT :limit)) u
        ORDER BY entry DESC LIMIT :limit) e
      ORDER BY e.entry DESC LIMIT :limit),
    legs AS (
      SELECT w.account, l.entry, min(l.at) AS at, sum(l.minor) AS minor
      FROM theirs w CROSS JOIN LATERAL ({_SIGNED.format(bound="IN (SELECT entry FROM last)")}) l
      GROUP BY w.account, l.entry),
    newer AS (
      SELECT w.account, coalesce(sum(l.minor), 0) AS minor
      FROM theirs w LEFT JOIN LATERAL ({_SIGNED.format(bound=">= :before")}) l ON true GROUP BY w.account)
    SELECT g.entry, g.at, e.type AS fact, w.currency, CAST(g.minor AS bigint) AS minor,
           CAST(w.balance - n.minor - coalesce(sum(g.minor) OVER (
             PARTITION BY g.account ORDER BY g.entry DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bigint) AS balance_minor,
           c.external_id AS customer, b.external_id AS booking, p.id AS payment, e.actor, e.key
    FROM legs g
    JOIN theirs w ON w.account = g.account
    JOIN newer n ON n.account = g.account
    JOIN entries e ON e.id = g.entry
    LEFT JOIN refunds f ON f.id = CASE WHEN e.type = 'refund.given' THEN CAST(split_part(e.key, ':', 2) AS uuid) END
    LEFT JOIN payments p ON p.id = CASE WHEN e.type IN ('checkout.held', 'checkout.released') THEN CAST(split_part(e.key, ':', 2) AS uuid)
                                        ELSE f.payment END
    LEFT JOIN bookings b ON b.id = p.booking
    LEFT JOIN customers c ON c.id = p.customer
    ORDER BY g.entry DESC""")
NEWEST: Final = 2**63 - 1


def log(tx: Tx, owner: OrganisationOwner, *, after: int | None = None, limit: int = 50) -> Rows:
    """A page of what touched the wallets of `owner`, newest first; `after` is the entry the last page ended with."""
    before = NEWEST if after is None else after
    return tx.page(_LOG, organisation=owned_by(owner), before=before, limit=limit)
