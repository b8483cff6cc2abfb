"""The statement's own arithmetic: balances follow from those before them.

Times of statements are whole seconds, in which a bank has an order that nobody is told. So a line follows
where what the account held before it was left by another line of its moment, or by one of the moment before.
An account holds each currency by itself, so moments are those of one currency.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from db.statements.account import OF, Account
from db.tx import Row, Tx
from domain.errors import BrokenError
from domain.findings import Finding, FindingKind
from domain.money import format_major

PAGE: Final = 20_000

_BEFORE: Final = sa.text(f"""
    SELECT occurred_at FROM statement_lines
    WHERE {OF} AND occurred_at < :start
    ORDER BY occurred_at DESC LIMIT 1""")


def before(tx: Tx, whose: Account, start: datetime) -> datetime:
    """The last moment of a line before `start`, or `start` itself where there is none."""
    named = {"provider": whose.provider, "account": whose.account}
    found: datetime | None = tx.scalar(_BEFORE, start=start, **named)
    return found or start


_COLUMNS: Final = """
        number, line_id, occurred_at, currency, balance, CASE side WHEN 'credit' THEN amount ELSE - amount END AS change"""

_CHECK: Final = sa.text(f"""
    WITH read AS MATERIALIZED (
      SELECT {_COLUMNS}
      FROM statement_lines
      WHERE {OF} AND occurred_at >= :at
      -- Whole moments: however many lines share the last one.
      ORDER BY occurred_at FETCH FIRST :limit ROWS WITH TIES),
    -- A currency that has no line in the page's first moment follows from one further back.
    back AS MATERIALIZED (
      SELECT b.* FROM (SELECT currency FROM read GROUP BY currency HAVING min(occurred_at) > :at) c
      CROSS JOIN LATERAL (
        SELECT {_COLUMNS}
        FROM statement_lines
        WHERE {OF} AND occurred_at < :at AND currency = c.currency
        ORDER BY occurred_at DESC FETCH FIRST 1 ROWS WITH TIES) b),
    page AS MATERIALIZED (
      SELECT x.*, dense_rank() OVER (PARTITION BY currency ORDER BY occurred_at) AS moment
      FROM (SELECT * FROM back UNION ALL SELECT * FROM read) x),
    -- What each line left to its moment and to the next, beside what each one needs: grouped, not joined, whatever their number.
    held AS (
      SELECT currency, moment, balance AS held, CAST(NULL AS bigint) AS number, NULL AS line_id FROM page
      UNION ALL SELECT currency, moment + 1, balance, NULL, NULL FROM page
      UNION ALL SELECT currency, moment, balance - change, number, line_id FROM page),
    loose AS MATERIALIZED (
      SELECT k.*, row_number() OVER (PARTITION BY k.currency, k.moment ORDER BY k.number) AS place
      FROM (SELECT h.*, bool_or(h.number IS NULL) OVER (PARTITION BY h.currency, h.moment, h.held) AS was_left FROM held h) k
      WHERE k.number IS NOT NULL AND NOT k.was_left)
    SELECT seen.looked_at, seen.last_at, g.line_id, g.currency, g.held
    FROM (SELECT count(*) AS looked_at, max(occurred_at) AS last_at FROM read) seen
    -- Of a currency's first moment one line follows from what this page does not have.
    LEFT JOIN loose g ON g.moment > 1 OR g.place > 1
    ORDER BY g.number""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One page: the gaps it has; `rest` None ends it."""

    rest: datetime | None
    findings: Sequence[Finding]


def check(tx: Tx, whose: Account, start: datetime, *, end: datetime) -> Checked:
    """Check a page of lines from the moment `start` on, to the first from `end` on."""
    named = {"provider": whose.provider, "account": whose.account}
    rows = tx.rows(_CHECK, at=start, limit=PAGE, **named)
    first = rows[0]
    goes_on = first.looked_at >= PAGE and first.last_at < end
    if goes_on and first.last_at == start:
        raise BrokenError(f"{first.looked_at} lines of a statement in one moment, {start}")
    return Checked(
        rest=first.last_at if goes_on else None,
        findings=[_finding(whose, row) for row in rows if row.line_id is not None],
    )


def _finding(whose: Account, row: Row) -> Finding:
    held = f"{format_major(int(row.held), row.currency)} {row.currency}"
    detail = f"before it the account held {held}, which no line before it left: lines are missing, or it was changed"
    return Finding(
        kind=FindingKind.STATEMENT_GAP, subject=f"{whose.provider}:{row.line_id}", detail=detail
    )
