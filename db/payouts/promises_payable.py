"""Payees and the books: what stands on a payee's account is what is told or earned and not on its way."""

from typing import Final

from db.invariant import Invariant, Walk
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
