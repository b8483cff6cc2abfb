"""The books: what is kept beside the postings is what they add up to, and each keeps its rule."""

from typing import Final

from db import walks
from db.invariant import Invariant
from domain.findings import FindingKind

_LEGS: Final = """
      -- The postings of the page, found by their entries' range; the last page reaches to the end.
      SELECT p.* FROM postings p
      WHERE p.entry > (SELECT coalesce(CAST(:after AS bigint), 0))
        AND p.entry <= (SELECT CASE WHEN count(*) < :page THEN 9223372036854775807 ELSE max(at) END FROM page)"""

ENTRIES_HAVE_POSTINGS: Final = Invariant(
    name="entries-have-postings",
    promise="Every entry has a posting, and every posting belongs to an entry.",
    walk=walks.ENTRIES,
    finding=FindingKind.BOOKS_DRIFT,
    offences=f"""
      WITH leg AS MATERIALIZED ({_LEGS})
      SELECT 'entry ' || e.at AS subject, concat_ws(' ', 'has no posting', e.type) AS detail FROM page e
      WHERE NOT EXISTS (SELECT FROM leg l WHERE l.entry = e.at)
      UNION ALL
      SELECT 'entry ' || l.entry, 'has postings and does not exist' FROM leg l
      WHERE NOT EXISTS (SELECT FROM page e WHERE e.at = l.entry) GROUP BY l.entry""",
)

POSTINGS_KEEP_THE_RULES: Final = Invariant(
    name="postings-keep-the-rules",
    promise="Every posting stays in its entry's currency and touches only accounts its type may touch.",
    walk=walks.ENTRIES,
    finding=FindingKind.BOOKS_DRIFT,
    offences=f"""
      WITH leg AS MATERIALIZED ({_LEGS})
      SELECT 'entry ' || e.id AS subject,
             format('%s of type %s debits %s in %s and credits %s in %s', e.currency, e.type,
                    coalesce(d.kind, '(none)'), coalesce(d.currency, '-'),
                    coalesce(c.kind, '(none)'), coalesce(c.currency, '-')) AS detail
      FROM page e JOIN leg l ON l.entry = e.at
      LEFT JOIN accounts d ON d.id = l.debit
      LEFT JOIN accounts c ON c.id = l.credit
      WHERE d.currency IS DISTINCT FROM e.currency OR c.currency IS DISTINCT FROM e.currency
         OR NOT EXISTS (SELECT FROM entry_rules r WHERE r.type = e.type AND r.side = 'D' AND r.kind = d.kind)
         OR NOT EXISTS (SELECT FROM entry_rules r WHERE r.type = e.type AND r.side = 'C' AND r.kind = c.kind)""",
)

BALANCES_ARE_THEIR_POSTINGS: Final = Invariant(
    name="balances-are-their-postings",
    promise="Every account's stored balance is what its postings add up to.",
    walk=walks.ACCOUNTS,
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      WITH asked AS MATERIALIZED (SELECT a.* FROM page a WHERE :deep OR a.stripes = 1),
      stored AS (
        SELECT b.account, sum(b.debits) AS debits, sum(b.credits) AS credits, count(*) AS stripes
        FROM asked a JOIN balances b ON b.account = a.at GROUP BY b.account),
      debited AS (
        SELECT p.debit AS account, sum(p.amount) AS amount FROM asked a JOIN postings p ON p.debit = a.at GROUP BY p.debit),
      credited AS (
        SELECT p.credit AS account, sum(p.amount) AS amount FROM asked a JOIN postings p ON p.credit = a.at GROUP BY p.credit)
      SELECT format('account %s (%s %s %s)', a.at, a.kind, coalesce(nullif(a.owner, ''), '-'), a.currency) AS subject,
             format('stored debits %s credits %s in %s rows, postings debits %s credits %s, stripes %s',
                    s.debits, s.credits, coalesce(s.stripes, 0), coalesce(d.amount, 0), coalesce(c.amount, 0), a.stripes) AS detail
      FROM asked a
      LEFT JOIN stored s ON s.account = a.at
      LEFT JOIN debited d ON d.account = a.at
      LEFT JOIN credited c ON c.account = a.at
      WHERE s.stripes IS DISTINCT FROM a.stripes OR s.debits <> coalesce(d.amount, 0) OR s.credits <> coalesce(c.amount, 0)""",
)

BOUNDED_ARE_NOT_BELOW_ZERO: Final = Invariant(
    name="bounded-not-below-zero",
    promise="No bounded account's balance, on its normal side, is below zero, and its row holds the bound.",
    walk=walks.ACCOUNTS,
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      SELECT format('account %s (%s %s %s)', a.at, a.kind, a.owner, a.currency) AS subject,
             format('debits %s, credits %s, normal side %s, bound %s', b.debits, b.credits, a.normal, coalesce(b.floor, '-')) AS detail
      FROM page a JOIN balances b ON b.account = a.at
      WHERE a.bounded AND (b.floor IS DISTINCT FROM a.normal
        OR CASE a.normal WHEN 'D' THEN b.debits - b.credits ELSE b.credits - b.debits END < 0)""",
)

CURRENCIES_BALANCE: Final = Invariant(
    name="currencies-balance",
    promise="In each currency all debits equal all credits.",
    walk=walks.CURRENCIES,
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      SELECT 'currency ' || a.currency AS subject,
             format('debits %s, credits %s', sum(b.debits), sum(b.credits)) AS detail
      FROM accounts a JOIN balances b ON b.account = a.id
      GROUP BY a.currency HAVING sum(b.debits) <> sum(b.credits)""",
)

TOTALS_ARE_THEIR_ENTRIES: Final = Invariant(
    name="totals-are-their-entries",
    promise="The running totals by entry type are what the entries and their postings add up to.",
    walk=walks.TYPES,
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      -- Summed by entry before anything is joined: the index on postings by entry is for ranges.
      WITH leg AS MATERIALIZED (SELECT entry, sum(amount) AS amount FROM postings WHERE :deep GROUP BY entry)
      SELECT format('totals of %s in %s', coalesce(t.type, e.type), coalesce(t.currency, e.currency)) AS subject,
             format('stored %s entries of %s, posted %s entries of %s', coalesce(t.entries, 0), coalesce(t.amount, 0),
                    coalesce(e.entries, 0), coalesce(e.amount, 0)) AS detail
      FROM page t
      FULL JOIN (
        SELECT x.type, x.currency, count(*) AS entries, sum(l.amount) AS amount
        FROM leg l JOIN entries x ON x.id = l.entry GROUP BY x.type, x.currency) e
        ON e.type = t.type AND e.currency = t.currency
      WHERE (t.entries, t.amount) IS DISTINCT FROM (e.entries, e.amount)""",
)
