"""Wallets and the books: each is one bounded account of its owner's, and nothing but what was posted to it."""

from typing import Final

from db.invariant import Invariant, Walk
from db.walks import ACCOUNTS
from domain.findings import FindingKind

WALK: Final = Walk(
    page="""
    SELECT id AS at, w.* FROM wallets w
    WHERE id > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000') ORDER BY id LIMIT :page"""
)

WALLETS_ARE_WHAT_WAS_POSTED: Final = Invariant(
    name="wallets-are-what-was-posted",
    promise="A wallet is a bounded account of its owner's in its currency; it holds what its postings say, never below zero.",
    walk=WALK,
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      SELECT 'wallet ' || w.id AS subject,
             CASE WHEN NOT o.is_its_own THEN format('its account %s is not its own: %s of %s in %s', w.account, a.kind, a.owner, a.currency)
                  ELSE format('it holds %s, its postings say %s', b.balance, p.posted) END AS detail
      FROM page w
      JOIN accounts a ON a.id = w.account
      CROSS JOIN LATERAL (
        SELECT a.kind = 'wallet' AND a.owner = CAST(w.payee AS text) AND a.currency = w.currency AND a.bounded AS is_its_own) o
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(credits - debits), 0) AS balance FROM balances WHERE account = w.account) b
      CROSS JOIN LATERAL (
        SELECT coalesce((SELECT sum(amount) FROM postings WHERE credit = w.account), 0)
             - coalesce((SELECT sum(amount) FROM postings WHERE debit = w.account), 0) AS posted) p
      WHERE NOT o.is_its_own OR b.balance < 0 OR b.balance <> p.posted""",
)

WALLET_ACCOUNTS_HAVE_A_WALLET: Final = Invariant(
    name="wallet-accounts-have-a-wallet",
    promise="An account of kind wallet belongs to a wallet: no money is kept that nobody could be paid.",
    walk=ACCOUNTS,
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      SELECT 'account ' || a.id AS subject, format('it is a wallet of %s in %s, and there is no such wallet', a.owner, a.currency) AS detail
      FROM page a
      WHERE a.kind = 'wallet' AND NOT EXISTS (SELECT FROM wallets w WHERE w.account = a.id)""",
)
