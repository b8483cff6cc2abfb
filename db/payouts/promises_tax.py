"""Payouts and tax: what was withheld is recorded, counted in its payee's year, and owed in the books."""

from typing import Final

from db.invariant import Invariant, Walk
from db.payouts.promises import WALK
from domain.findings import FindingKind

WITHHELD_IS_RECORDED: Final = Invariant(
    name="withheld-is-recorded",
    promise="What is made of earnings is sent with its tax computed, and recorded once when it is paid; "
    "given back whole when it is reversed; never recorded otherwise.",
    walk=WALK,
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      WITH asked AS MATERIALIZED (
        SELECT * FROM page p WHERE p.source = 'earnings' OR p.tds_financial_year IS NOT NULL OR p.tds_deducted > 0),
      kept AS (
        SELECT p.id, count(*) FILTER (WHERE NOT r.is_reversal) AS paid,
               bool_and(r.is_reversal OR (r.generation, r.payee, r.currency, r.financial_year, r.gross, r.share, r.base, r.tax)
                 = (p.generation, p.payee, p.currency, p.tds_financial_year, p.tds_gross, p.amount, p.tds_base, p.tds_deducted)) AS fits,
               sum(r.gross) AS gross, sum(r.tax) AS tax
        FROM asked p JOIN tax_records r ON r.payout = p.id GROUP BY p.id),
      judged AS (
        SELECT p.id, p.state, CASE
          WHEN p.source <> 'earnings' THEN 'it is not of earnings, and tax is withheld from it'
          WHEN p.state IN ('PROCESSING', 'COMPLETED', 'REVERSED') AND (p.net_amount IS NULL OR p.tds_engine IS NULL OR (p.tds_engine = 'none') <> (p.tds_financial_year IS NULL))
            THEN 'it was sent with no tax computed'
          WHEN coalesce(k.paid, 0) <> CASE WHEN p.state IN ('COMPLETED', 'REVERSED') AND p.tds_engine <> 'none' THEN 1 ELSE 0 END
            THEN format('%s records say that it was paid', coalesce(k.paid, 0))
          WHEN NOT k.fits THEN 'its record is not what was withheld from it'
          WHEN p.state = 'REVERSED' AND (k.gross, k.tax) <> (0, 0) THEN 'what was recorded of it is not given back'
          WHEN p.state IN ('APPROVED', 'PROCESSING', 'COMPLETED') AND p.tds_financial_year IS NOT NULL AND NOT EXISTS (
            SELECT FROM tax_years y WHERE (y.payee, y.financial_year) = (p.payee, p.tds_financial_year))
            THEN 'its payee has no such tax year' END AS wrong
        FROM asked p LEFT JOIN kept k ON k.id = p.id)
      SELECT 'payout ' || j.id AS subject, format('%s: %s', j.state, j.wrong) AS detail FROM judged j WHERE j.wrong IS NOT NULL""",
)

YEARS: Final = Walk(
    page="""
    SELECT concat_ws(' ', payee, financial_year) AS at, y.* FROM tax_years y
    WHERE (payee, financial_year) > (
      coalesce(CAST(split_part(CAST(:after AS text), ' ', 1) AS uuid), '00000000-0000-0000-0000-000000000000'),
      coalesce(split_part(CAST(:after AS text), ' ', 2), ''))
    ORDER BY payee, financial_year LIMIT :page"""
)

YEARS_ARE_THEIR_PAYOUTS: Final = Invariant(
    name="tax-years-are-their-payouts",
    promise="A payee's tax year is the sum of their payouts that are paid or in flight, and of what another system paid, and "
    "knows what of it is in flight: "
    "an exemption is used once.",
    walk=YEARS,
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      SELECT concat_ws(' ', 'tax year', y.financial_year, 'of', y.payee) AS subject,
             format('gross %s, share %s, base %s, tax %s, in flight %s, %s, %s; its payouts and what was before %s, %s, %s, %s, in flight %s, %s, %s',
                    y.gross, y.share, y.base, y.tax, y.open_gross, y.open_share, y.open_base,
                    s.gross, s.share, s.base, s.tax, s.open_gross, s.open_share, s.open_base) AS detail
      FROM page y
      CROSS JOIN LATERAL (
        SELECT coalesce(y.prior_gross, 0) + coalesce(sum(p.tds_gross), 0) AS gross,
               coalesce(y.prior_share, 0) + coalesce(sum(p.amount), 0) AS share,
               coalesce(y.prior_base, 0) + coalesce(sum(p.tds_base), 0) AS base,
               coalesce(y.prior_tax, 0) + coalesce(sum(p.tds_deducted), 0) AS tax,
               coalesce(sum(p.tds_gross) FILTER (WHERE p.state <> 'COMPLETED'), 0) AS open_gross,
               coalesce(sum(p.amount) FILTER (WHERE p.state <> 'COMPLETED'), 0) AS open_share,
               coalesce(sum(p.tds_base) FILTER (WHERE p.state <> 'COMPLETED'), 0) AS open_base
        FROM payouts p
        WHERE p.payee = y.payee AND p.tds_financial_year = y.financial_year
          AND p.state IN ('APPROVED', 'PROCESSING', 'COMPLETED')) s
      WHERE (y.gross, y.share, y.base, y.tax, y.open_gross, y.open_share, y.open_base)
         <> (s.gross, s.share, s.base, s.tax, s.open_gross, s.open_share, s.open_base)""",
)

OWED: Final = Walk(
    paged=False,
    page="SELECT DISTINCT currency AS at, currency FROM accounts WHERE :deep",
)

RECORDS_ARE_OWED: Final = Invariant(
    name="tax-records-are-owed",
    promise="In each currency what the books owe in tax is the sum of the records of it.",
    walk=OWED,
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      SELECT 'currency ' || c.currency AS subject,
             format('tax payable %s, records %s', coalesce(b.balance, 0), coalesce(r.tax, 0)) AS detail
      FROM page c
      LEFT JOIN (
        SELECT a.currency, sum(b.credits - b.debits) AS balance FROM accounts a JOIN balances b ON b.account = a.id
        WHERE a.kind = 'tds_payable' GROUP BY a.currency) b ON b.currency = c.currency
      LEFT JOIN (SELECT t.currency, sum(t.tax) AS tax FROM tax_records t GROUP BY t.currency) r ON r.currency = c.currency
      WHERE coalesce(b.balance, 0) <> coalesce(r.tax, 0)""",
)
