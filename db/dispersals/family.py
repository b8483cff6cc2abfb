"""Dispersals as the audit and the listings know them."""

from typing import Final

from db import aggregates
from db.family import Family
from db.invariant import Invariant, Walk
from domain import dispersals
from domain.findings import FindingKind

_WALK: Final = aggregates.walk(dispersals.DISPERSALS)

LENDERS_ARE_OWED_THEIR_SHARES: Final = Invariant(
    name="dispersals-are-owed",
    promise="Each lender's account of a currency is what their dispersals add up to that are neither on their way nor paid.",
    walk=Walk(
        page="""
    SELECT a.id AS at, a.id, CAST(nullif(a.owner, '') AS uuid) AS lender, a.currency FROM accounts a
    WHERE a.id > coalesce(CAST(:after AS bigint), 0) AND a.kind = 'lender_payable' ORDER BY a.id LIMIT :page"""
    ),
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      WITH owed AS (
        SELECT a.at, sum(d.amount) AS amount
        FROM page a JOIN dispersals d ON d.lender = a.lender AND d.currency = a.currency LEFT JOIN payouts p ON p.id = d.payout
        -- What is PROCESSING has left the account.
        WHERE d.state IN ('PENDING', 'SENDING', 'FAILED') AND (d.state <> 'SENDING' OR p.state IN ('PENDING', 'APPROVED')) GROUP BY a.at)
      SELECT 'lender ' || a.lender AS subject,
             format('is owed %s %s by the books, %s by dispersals', b.credits - b.debits, a.currency, coalesce(o.amount, 0)) AS detail
      FROM page a JOIN balances b ON b.account = a.id LEFT JOIN owed o ON o.at = a.at
      WHERE b.credits - b.debits <> coalesce(o.amount, 0)""",
)

DISPERSALS_FOLLOW_THEIR_PAYOUTS: Final = Invariant(
    name="dispersals-follow-their-payouts",
    promise="A dispersal is SENDING while its payout is on its way, DISBURSED once that is paid, and waits for a person where it "
    "did not arrive; no other payout of it is on its way.",
    walk=_WALK,
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'dispersal ' || d.id AS subject,
             format('it is %s, its payout %s is %s; payouts on their way: %s', d.state, coalesce(d.payout, p.id), coalesce(p.state, 'missing'), o.others) AS detail
      FROM page d
      LEFT JOIN payouts p ON p.id = d.payout AND p.dispersal = d.id
      CROSS JOIN LATERAL (
        SELECT count(*) AS others FROM payouts x WHERE x.dispersal = d.id AND x.id IS DISTINCT FROM d.payout AND x.state = 'PROCESSING') o
      WHERE o.others > 0 OR d.payout IS NOT NULL AND CASE d.state
          WHEN 'SENDING' THEN p.state IN ('PENDING', 'APPROVED', 'PROCESSING')
          WHEN 'DISBURSED' THEN p.state = 'COMPLETED'
          -- Paid after all when its share was taken back: its lender owes it.
          WHEN 'CANCELLED' THEN p.state IN ('FAILED', 'CANCELLED', 'REVERSED', 'COMPLETED')
          ELSE p.state IN ('FAILED', 'CANCELLED', 'REVERSED') END IS NOT TRUE""",
)

DISBURSED_IS_POSTED: Final = Invariant(
    name="disbursed-is-posted",
    promise="The cash of its mortgage has left for a dispersal that is DISBURSED, once and whole, and is there for every other.",
    walk=_WALK,
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      WITH keys AS MATERIALIZED (
        SELECT d.id, concat_ws(':', 'disbursement', d.id, nullif(n, 1)) AS key
        FROM page d CROSS JOIN LATERAL generate_series(1, d.sendings) n),
      posted AS (
        SELECT k.id, sum(p.amount) AS amount
        FROM keys k JOIN entries e ON e.key = k.key AND e.type = 'LENDER_PAYOUT_SENT' JOIN postings p ON p.entry = e.id
        WHERE NOT EXISTS (SELECT FROM entries r WHERE r.key = 'reversal:' || k.key AND r.type = 'REVERSAL')
        GROUP BY k.id)
      SELECT 'dispersal ' || d.id AS subject,
             format('it is %s of %s %s; its entries took %s of the cash of its mortgage', d.state, d.amount, d.currency, coalesce(p.amount, 0)) AS detail
      FROM page d LEFT JOIN posted p ON p.id = d.id
      WHERE coalesce(p.amount, 0) <> CASE d.state WHEN 'DISBURSED' THEN d.amount ELSE 0 END""",
)

DISPERSALS: Final = Family(
    machine=dispersals.DISPERSALS,
    promises=(
        *aggregates.promises(dispersals.DISPERSALS),
        LENDERS_ARE_OWED_THEIR_SHARES,
        DISPERSALS_FOLLOW_THEIR_PAYOUTS,
        DISBURSED_IS_POSTED,
    ),
    columns=(
        "obligation",
        "lender",
        "state",
        "amount AS amount_minor",
        "currency",
        "eligible_on",
        "sendings",
        "created_at",
        "id",
    ),
    details=("generation", "payout", "updated_at"),
)
