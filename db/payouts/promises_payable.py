"""Payees and the books: what is owed to them is what is told or earned and not on its way; what they owed is taken off once."""

from typing import Final

from db.invariant import Invariant, Walk
from db.payouts.promises import WALK
from domain.findings import FindingKind

_WALK: Final = Walk(
    paged=False,
    page="""
    SELECT id AS at, id, owner, currency FROM accounts WHERE :deep AND kind = 'payee_payable'""",
)

PAYABLE_IS_WHAT_IS_OWED: Final = Invariant(
    name="payable-is-what-is-owed",
    promise="What is owed to each payee in the books is the sum of payouts that were told and are neither on their way nor paid, "
    "and of what is left of earnings that are in none such.",
    walk=_WALK,
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      -- A payout that was told is owed by itself, also when it was withdrawn: nobody took the debt back. Another system's
      -- is owed where it was opened, or came back here. What was made of earnings is owed by them, where they are known.
      WITH told AS MATERIALIZED (
        SELECT p.payable AS account, sum(p.amount) AS amount
        FROM payouts p LEFT JOIN takeovers t ON t.payout = p.id
        WHERE :deep AND p.state NOT IN ('PROCESSING', 'COMPLETED')
          AND CASE p.source
                WHEN 'import' THEN coalesce(t.state NOT IN ('CANCELLED', 'REVERSED'), true)
                WHEN 'earnings' THEN t.state IN ('PROCESSING', 'COMPLETED') AND NOT EXISTS (SELECT FROM payout_earnings l WHERE l.payout = p.id)
                ELSE true END
        GROUP BY p.payable),
      earned AS MATERIALIZED (
        SELECT CAST(e.payee AS text) AS owner, e.currency, sum(e.amount - e.refunded) AS amount
        FROM earnings e
        LEFT JOIN payout_earnings l ON l.earning = e.id AND l.live
        LEFT JOIN payouts p ON p.id = l.payout
        WHERE :deep AND (e.state IN ('READY', 'HELD') OR e.state = 'BATCHED' AND p.state <> 'PROCESSING')
        GROUP BY e.payee, e.currency)
      SELECT format('payee %s in %s', a.owner, a.currency) AS subject,
             format('the books owe %s, payouts that were told %s, earnings %s', coalesce(b.credits - b.debits, 0),
                    coalesce(t.amount, 0), coalesce(e.amount, 0)) AS detail
      FROM page a
      LEFT JOIN balances b ON b.account = a.id
      LEFT JOIN told t ON t.account = a.id
      LEFT JOIN earned e ON e.owner = a.owner AND e.currency = a.currency
      WHERE coalesce(b.credits - b.debits, 0) <> coalesce(t.amount, 0) + coalesce(e.amount, 0)""",
)

RECOVERED_IS_POSTED: Final = Invariant(
    name="recovered-is-posted",
    promise="What a payout kept back of a debt is off its payee's account once while the payout is on its way or paid, and owed otherwise.",
    walk=WALK,
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      WITH asked AS MATERIALIZED (
        SELECT p.id, p.state, p.recovered, 'payout:' || p.id || ':' || p.generation || ':' AS prefix FROM page p WHERE p.recovered > 0),
      posted AS (
        SELECT a.id, bool_or(n.type = 'payout.failed') AS has_failed,
               coalesce(sum(s.amount) FILTER (WHERE c.kind = 'payee_receivable'), 0)
                 - coalesce(sum(s.amount) FILTER (WHERE d.kind = 'payee_receivable'), 0) AS settled
        FROM asked a
        -- The semicolon is the sign after the colon: every entry of this generation, and no other's.
        JOIN entries n ON n.key >= a.prefix AND n.key < left(a.prefix, -1) || ';'
          AND n.type IN ('payout.submitted', 'payout.put_back', 'payout.failed')
        JOIN postings s ON s.entry = n.id
        JOIN accounts d ON d.id = s.debit
        JOIN accounts c ON c.id = s.credit
        GROUP BY a.id)
      SELECT 'payout ' || a.id AS subject,
             format('it is %s and kept back %s, of which its entries took off %s', a.state, a.recovered, coalesce(p.settled, 0)) AS detail
      FROM asked a LEFT JOIN posted p ON p.id = a.id
      WHERE coalesce(p.settled, 0) <> CASE
        WHEN a.state IN ('PROCESSING', 'COMPLETED', 'REVERSED') AND NOT coalesce(p.has_failed, false) THEN a.recovered ELSE 0 END""",
)
