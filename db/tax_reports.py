"""Tax, read: a return's lines payee by payee, tax years, and what another way of withholding would do."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import clock
from db.payouts.withholding import GROSS, one_by_one
from db.tx import Row, Rows, Tx
from domain.tax import CURRENCY, Withholding, Year
from domain.tax_periods import Quarter, period
from domain.tax_rates import Rate, rate_on

COMPARE_SECONDS: Final = 120.0
"""How long a comparison may take: it looks through all payouts for those that are open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """Which lines: a financial year, a quarter of it (None: all). `after` is the payee the last page ended with."""

    financial_year: str
    quarter: Quarter | None = None
    after: UUID | None = None
    limit: int = 50


_REPORT: Final = sa.text(f"""
    WITH line AS MATERIALIZED (
      SELECT r.payee, r.currency, string_agg(DISTINCT r.section, '; ') AS section, string_agg(DISTINCT r.code, '; ') AS code,
             count(*) FILTER (WHERE NOT r.is_reversal) AS payouts,
             coalesce(sum(r.gross) FILTER (WHERE NOT r.is_reversal), 0) AS gross,
             coalesce(sum(r.base) FILTER (WHERE NOT r.is_reversal), 0) AS base,
             coalesce(sum(r.tax) FILTER (WHERE NOT r.is_reversal), 0) AS tax,
             coalesce(-sum(r.gross) FILTER (WHERE r.is_reversal), 0) AS gross_back,
             coalesce(-sum(r.tax) FILTER (WHERE r.is_reversal), 0) AS tax_back
      FROM tax_records r
      WHERE r.financial_year = :financial_year AND (CAST(:quarter AS text) IS NULL OR r.quarter = :quarter)
        AND r.payee > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000')
      GROUP BY r.payee, r.currency ORDER BY r.payee, r.currency LIMIT :limit),
    -- What of these was given back to customers after their payees were paid, and the tax that stands on record for it.
    since AS (
      SELECT r.payee, r.currency, sum(r.gross - g.gross) AS gross, sum(div(CAST(r.tax AS numeric) * (r.share - e.share), r.share)) AS tax
      FROM line l
      JOIN tax_records r ON r.payee = l.payee AND r.currency = l.currency AND r.financial_year = :financial_year AND NOT r.is_reversal
        AND (CAST(:quarter AS text) IS NULL OR r.quarter = :quarter)
      JOIN payouts p ON p.id = r.payout AND p.generation = r.generation AND p.state = 'COMPLETED'
      CROSS JOIN LATERAL ({GROSS}) g
      CROSS JOIN LATERAL (
        SELECT sum(e.amount - e.refunded) AS share FROM payout_earnings k JOIN earnings e ON e.id = k.earning
        WHERE k.payout = p.id AND k.live) e
      WHERE e.share < r.share GROUP BY r.payee, r.currency)
    SELECT l.payee AS payee_id, y.name AS payee, y.tax_class, y.has_pan, l.section, l.code, l.currency, l.payouts,
           CAST(l.gross AS bigint) AS gross_minor, CAST(l.base AS bigint) AS base_minor, CAST(l.tax AS bigint) AS tax_minor,
           CAST(l.gross_back AS bigint) AS reversed_gross_minor, CAST(l.tax_back AS bigint) AS reversed_minor,
           CAST(coalesce(s.gross, 0) AS bigint) AS refunded_gross_minor, CAST(coalesce(s.tax, 0) AS bigint) AS set_off_minor,
           CAST(l.tax - l.tax_back AS bigint) AS net_minor
    FROM line l JOIN payees y ON y.id = l.payee LEFT JOIN since s ON s.payee = l.payee AND s.currency = l.currency ORDER BY l.payee, l.currency""")


def report(tx: Tx, page: ReportPage) -> Rows:
    """What was withheld in a period, a line for each payee: paid, given back, and the rest, which is owed.

    `set_off_minor` of that stands on record for sales that customers were given back after their payee was paid.
    """
    return tx.page(
        _REPORT,
        financial_year=page.financial_year,
        quarter=page.quarter,
        after=page.after,
        limit=page.limit,
    )


_YEARS: Final = sa.text("""
    SELECT t.payee AS payee_id, y.name AS payee, y.tax_class, y.has_pan, t.financial_year, :currency AS currency,
           t.gross AS gross_minor, t.share AS share_minor, t.base AS base_minor, t.tax AS tax_minor
    FROM tax_years t JOIN payees y ON y.id = t.payee
    WHERE t.financial_year = :financial_year
      AND t.payee > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000')
    ORDER BY t.payee LIMIT :limit""")


def years(tx: Tx, financial_year: str | None, *, after: UUID | None, limit: int) -> Rows:
    """What payees were paid in a financial year (None: this one), or are about to be, and what was taxed of it."""
    year = financial_year or period(clock.now(tx)).financial_year
    return tx.page(_YEARS, financial_year=year, currency=CURRENCY, after=after, limit=limit)


_OPEN: Final = sa.text(f"""
    SELECT p.id, p.payee, p.amount, p.currency, p.mode, y.tax_class, y.has_pan, y.resident, s.gross
    FROM payouts p
    JOIN payees y ON y.id = p.payee
    CROSS JOIN LATERAL ({GROSS}) s
    WHERE p.source = 'earnings' AND p.state IN ('PENDING', 'APPROVED') AND p.tds_engine IS NULL
    ORDER BY p.created_at, p.id""")

_THEIR_YEARS: Final = sa.text("""
    SELECT payee, CAST(sum(CASE financial_year WHEN :financial_year THEN gross ELSE open_gross END) AS bigint) AS gross,
           CAST(sum(CASE financial_year WHEN :financial_year THEN share ELSE open_share END) AS bigint) AS share,
           CAST(sum(CASE financial_year WHEN :financial_year THEN base ELSE open_base END) AS bigint) AS base
    FROM tax_years
    -- What is in flight from an earlier year counts in this one should it be paid now.
    WHERE payee = ANY(CAST(:payees AS uuid[])) AND (financial_year = :financial_year OR financial_year < :financial_year AND open_share > 0)
    GROUP BY payee""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What one way of withholding would do to the payouts that are open, in minor units."""

    engine: str
    payouts: int
    """How many could be sent."""
    gross_minor: int
    base_minor: int
    tax_minor: int
    net_minor: int
    refused: int
    """How many would be parked: too little is left, or nobody may compute it."""


def compare(tx: Tx, ways: Sequence[Withholding]) -> list[Outlook]:
    """What each of `ways` would do to payouts that are PENDING or APPROVED and not withheld from yet.

    As if all were claimed now, the oldest first. Writes nothing and locks nothing.
    """
    at = period(clock.now(tx))
    rate, facts = rate_on(at.day), tx.rows(_OPEN)
    payees = list({fact.payee for fact in facts})
    paid = {
        row.payee: Year(row.gross, row.share, row.base)
        for row in tx.rows(_THEIR_YEARS, financial_year=at.financial_year, payees=payees)
    }
    return [_outlook(facts, way, rate, defaultdict(Year, paid)) for way in ways]


def _outlook(
    facts: Sequence[Row], way: Withholding, rate: Rate, years: dict[UUID, Year]
) -> Outlook:
    found, refused = one_by_one(facts, way, rate, years)
    return Outlook(
        engine=way.engine,
        payouts=len(found),
        gross_minor=sum(one.gross for one in found.values()),
        base_minor=sum(one.base for one in found.values()),
        tax_minor=sum(one.tax for one in found.values()),
        net_minor=sum(one.net for one in found.values()),
        refused=len(refused),
    )
