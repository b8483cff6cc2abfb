"""The statement's own arithmetic: balances follow from those before them.

Times of statements are whole seconds, in which a bank has an order that nobody is told. But whatever the order,
what a moment begins with is held before more of its lines than were left by others of it, and what it ends with
is left by more than it was held before. So a moment follows where it begins with what the one before it ended
with. One that goes round, such as a debit given back at once, shows neither: it must come by what the last other
one ended with, and changes nothing. An account holds each currency by itself, so moments are those of one currency.
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
    WHERE {OF} AND occurred_at < :start AND balance IS NOT NULL
    GROUP BY occurred_at, currency
    -- A moment that goes round does not show what it ended with.
    HAVING sum(CASE side WHEN 'credit' THEN amount ELSE - amount END) <> 0
    ORDER BY occurred_at DESC LIMIT 1""")


def before(tx: Tx, whose: Account, start: datetime) -> datetime:
    """The last moment before `start` that shows what it ended with, or `start` itself where there is none."""
    named = {"provider": whose.provider, "account": whose.account}
    found: datetime | None = tx.scalar(_BEFORE, start=start, **named)
    return found or start


_COLUMNS: Final = """
        number, line_id, occurred_at, currency, balance, CASE side WHEN 'credit' THEN amount ELSE - amount END AS change"""

_CHECK: Final = sa.text(f"""
    WITH read AS MATERIALIZED (
      SELECT {_COLUMNS}
      FROM statement_lines
      WHERE {OF} AND occurred_at >= :at AND balance IS NOT NULL
      -- Whole moments: however many lines share the last one.
      ORDER BY occurred_at FETCH FIRST :limit ROWS WITH TIES),
    -- A currency that has no line in the page's first moment follows from one further back.
    back AS MATERIALIZED (
      SELECT b.* FROM (SELECT currency FROM read GROUP BY currency HAVING min(occurred_at) > :at) c
      CROSS JOIN LATERAL (
        SELECT {_COLUMNS}
        FROM statement_lines
        WHERE {OF} AND occurred_at < :at AND currency = c.currency AND balance IS NOT NULL
        ORDER BY occurred_at DESC FETCH FIRST 1 ROWS WITH TIES) b),
    page AS MATERIALIZED (
      SELECT x.*, dense_rank() OVER (PARTITION BY currency ORDER BY occurred_at) AS moment
      FROM (SELECT * FROM back UNION ALL SELECT * FROM read) x),
    -- Every balance before a line, and every one after it: counted by windows, not joined, whatever their number.
    held AS (
      SELECT currency, moment, occurred_at, balance - change AS held, number, line_id, 1 AS wanted FROM page
      UNION ALL SELECT currency, moment, occurred_at, balance, NULL, NULL, -1 FROM page),
    counted AS (
      SELECT h.*, sum(wanted) OVER (PARTITION BY currency, moment, held) AS more,
             row_number() OVER (PARTITION BY currency, moment, held, wanted ORDER BY number DESC) AS place
      FROM held h),
    turned AS (
      SELECT c.*, bool_and(more = 0) OVER (PARTITION BY currency, moment) AS goes_round FROM counted c),
    -- Moments that go on are numbered; one that goes round has the number of the last before it.
    numbered AS (
      SELECT t.*, CASE WHEN NOT goes_round THEN dense_rank() OVER (PARTITION BY currency, goes_round ORDER BY moment) END AS step
      FROM turned t),
    -- What a moment begins with belongs to the step before it.
    stepped AS (
      SELECT n.*, coalesce(max(step) OVER (PARTITION BY currency ORDER BY moment), 0)
                  - CASE WHEN NOT goes_round AND more > 0 THEN 1 ELSE 0 END AS after_step
      FROM numbered n),
    followed AS (
      SELECT s.*, bool_or(NOT goes_round AND more < 0) OVER (PARTITION BY currency, after_step, held) AS was_left FROM stepped s),
    strayed AS (
      SELECT f.*, goes_round AND NOT bool_or(was_left) OVER (PARTITION BY currency, moment) AS strays FROM followed f),
    -- What strays is told once, and what comes after it may follow from it.
    judged AS (
      SELECT s.*, was_left OR bool_or(strays) OVER (PARTITION BY currency, after_step, held) AS is_met,
             strays AND moment = min(moment) FILTER (WHERE strays) OVER (PARTITION BY currency, after_step)
               AND row_number() OVER (PARTITION BY currency, moment ORDER BY number) = 1 AND after_step > 0 AS strays_first
      FROM strayed s),
    loose AS MATERIALIZED (
      SELECT j.*, row_number() OVER (PARTITION BY currency, moment ORDER BY number) AS nth
      FROM judged j
      WHERE number IS NOT NULL AND (strays_first OR NOT goes_round AND place <= more - CASE WHEN is_met THEN 1 ELSE 0 END))
    SELECT seen.looked_at, seen.last_at, seen.firm_at, g.line_id, g.currency, g.held
    FROM (SELECT count(*) AS looked_at, max(occurred_at) AS last_at,
                 (SELECT max(t.occurred_at) FROM turned t WHERE NOT t.goes_round) AS firm_at FROM read) seen
    -- Of a currency's first moment one line follows from what this page does not have.
    LEFT JOIN loose g ON g.moment > 1 OR g.nth > 1
    ORDER BY g.number""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One page: the gaps it has; `rest` None ends it."""

    rest: datetime | None
    last_at: datetime | None
    """The last moment that was looked at."""
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
        rest=_rest(first, start) if goes_on else None,
        last_at=first.last_at,
        findings=[_finding(whose, row) for row in rows if row.line_id is not None],
    )


def _rest(first: Row, start: datetime) -> datetime:
    """Where the next page begins: at a moment that shows what it ended with, where this page has another."""
    firm: datetime | None = first.firm_at
    last: datetime = first.last_at
    return firm if firm is not None and firm > start else last


def _finding(whose: Account, row: Row) -> Finding:
    held = f"{format_major(int(row.held), row.currency)} {row.currency}"
    detail = f"before it the account held {held}, which no line before it left: lines are missing, or it was changed"
    return Finding(
        kind=FindingKind.STATEMENT_GAP, subject=f"{whose.provider}:{row.line_id}", detail=detail
    )
