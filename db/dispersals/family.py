"""Dispersals as the audit and the listings know them."""

from typing import Final

from db import aggregates
from db.family import Family
from db.invariant import Invariant, Walk
from domain import dispersals
from domain.findings import FindingKind

LENDERS_ARE_OWED_THEIR_SHARES: Final = Invariant(
    name="dispersals-are-owed",
    promise="Each lender's account of a currency is what their dispersals add up to that are not on their way.",
    walk=Walk(
        page="""
    SELECT a.id AS at, a.id, CAST(nullif(a.owner, '') AS uuid) AS lender, a.currency FROM accounts a
    WHERE a.id > coalesce(CAST(:after AS bigint), 0) AND a.kind = 'lender_payable' ORDER BY a.id LIMIT :page"""
    ),
    finding=FindingKind.BOOKS_DRIFT,
    offences="""
      WITH owed AS (
        SELECT a.at, sum(d.amount) AS amount FROM page a JOIN dispersals d ON d.lender = a.lender AND d.currency = a.currency
        WHERE d.state IN ('PENDING', 'FAILED') GROUP BY a.at)
      SELECT 'lender ' || a.lender AS subject,
             format('is owed %s %s by the books, %s by dispersals', b.credits - b.debits, a.currency, coalesce(o.amount, 0)) AS detail
      FROM page a JOIN balances b ON b.account = a.id LEFT JOIN owed o ON o.at = a.at
      WHERE b.credits - b.debits <> coalesce(o.amount, 0)""",
)

DISPERSALS: Final = Family(
    machine=dispersals.DISPERSALS,
    promises=(*aggregates.promises(dispersals.DISPERSALS), LENDERS_ARE_OWED_THEIR_SHARES),
    columns=(
        "obligation",
        "lender",
        "state",
        "amount AS amount_minor",
        "currency",
        "eligible_on",
        "created_at",
        "id",
    ),
    details=("generation", "updated_at"),
)
