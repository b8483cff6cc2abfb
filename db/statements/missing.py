"""What is in the books only: payouts that ended in a time whose statement does not show what they came to.

They are gone through by the moves that ended them, a day at a time and by key within it. The same walk
finds lines by what the bank calls a transfer (UTR), where they do not carry the provider's id.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.statements.account import Account, alone
from db.tx import Row, Tx
from domain.findings import Finding, FindingKind
from domain.money import format_major

PAGE: Final = 20_000
_DAY: Final = timedelta(days=1)
_NOBODY: Final = UUID(int=0)
_MISSING: Final = f"{FindingKind.STATEMENT_MISSING}:payout "


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of one day, from after its last payout looked at."""

    start: datetime
    end: datetime
    at: datetime
    after: UUID = _NOBODY


def stretches(start: datetime, end: datetime) -> Iterator[Stretch]:
    """The days between two times."""
    while start < end:
        following = min(start + _DAY, end)
        yield Stretch(start=start, end=following, at=start)
        start = following


_PAGE: Final = """
    WITH page AS MATERIALIZED (
      SELECT at, subject, target FROM moves
      WHERE at >= :start AND at < :end AND (at, subject) > (:at, CAST(:after AS uuid))
        AND kind = 'payout' AND target IN ('COMPLETED', 'REVERSED', 'FAILED', 'CANCELLED')
      ORDER BY at, subject LIMIT :limit)"""

_BY_UTR: Final = sa.text(f"""{_PAGE},
    found AS MATERIALIZED (
      -- Where a bank gave one UTR twice, the line is that of the payout whose amount it has.
      SELECT DISTINCT ON (l.number) l.number, g.subject
      FROM page g
      JOIN payouts p ON p.id = g.subject
      JOIN effects e ON e.key = p.effect_key AND e.provider = :provider AND e.account = :account
      JOIN statement_lines l ON l.utr = e.utr AND l.payout IS NULL AND l.provider = :provider AND l.account = :account
       AND l.state IN ('waiting', 'differs', 'unmatched')
      ORDER BY l.number, l.amount - l.fee = coalesce(p.net_amount, p.amount) DESC, g.subject)
    UPDATE statement_lines l SET payout = f.subject, matched_by = 'utr' FROM found f WHERE l.number = f.number""")

_LOOK: Final = sa.text(f"""{_PAGE},
    ended AS MATERIALIZED (
      SELECT p.id, p.state, p.currency, g.at, s.net, s.is_open,
             CASE p.state WHEN 'COMPLETED' THEN coalesce(p.net_amount, p.amount) ELSE 0 END AS paid
      FROM page g
      -- By the move that led to where it is: an earlier one says nothing of what the bank shows by now.
      JOIN payouts p ON p.id = g.subject AND p.state = g.target
      JOIN effects e ON e.key = p.effect_key AND e.provider = :provider AND e.account = :account
       AND e.accepted_at >= :first_line_at
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(CASE l.side WHEN 'debit' THEN l.amount - l.fee ELSE l.fee - l.amount END), 0) AS net,
               bool_or(l.state IN ('waiting', 'differs', 'unmatched')) AS is_open
        FROM statement_lines l WHERE l.payout = p.id) s
      WHERE g.at < :settled_before)
    SELECT seen.looked_at, seen.last_at, seen.last, y.*
    FROM (SELECT count(*) AS looked_at, (SELECT at FROM page ORDER BY at DESC, subject DESC LIMIT 1) AS last_at,
                 (SELECT subject FROM page ORDER BY at DESC, subject DESC LIMIT 1) AS last FROM page) seen
    LEFT JOIN LATERAL (
      SELECT x.id, x.state, x.currency, x.at, x.paid, x.net FROM ended x
      -- What has open lines is judged by them; what a person explained is explained.
      WHERE x.net <> x.paid AND x.is_open IS NOT TRUE
        AND NOT EXISTS (
          SELECT FROM findings f
          WHERE f.key = concat(CAST(:missing AS text), x.id) AND f.resolved_at IS NOT NULL AND NOT f.auto_healed)) y ON true
    ORDER BY y.at, y.id""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One page: what the statement does not show; `rest` None ends the stretch."""

    rest: Stretch | None
    rows: Sequence[Row]

    @property
    def findings(self) -> list[Finding]:
        """One for each."""
        return [_finding(row) for row in self.rows]


def look(
    tx: Tx,
    whose: Account,
    stretch: Stretch,
    *,
    first_line_at: datetime,
    settled_before: datetime,
) -> Looked:
    """Go through a page of what ended in `stretch`; what ended from `settled_before` on may still be shown."""
    alone(tx)
    page = {
        "start": stretch.start,
        "end": stretch.end,
        "at": stretch.at,
        "after": stretch.after,
        "limit": PAGE,
        "provider": whose.provider,
        "account": whose.account,
    }
    tx.run(_BY_UTR, **page)
    rows = tx.rows(
        _LOOK,
        **page,
        first_line_at=first_line_at,
        settled_before=settled_before,
        missing=_MISSING,
    )
    first = rows[0]
    rest = Stretch(start=stretch.start, end=stretch.end, at=first.last_at, after=first.last)
    return Looked(
        rest=rest if first.looked_at == PAGE else None,
        rows=[row for row in rows if row.id is not None],
    )


def _finding(row: Row) -> Finding:
    shown, paid = (
        f"{format_major(int(minor), row.currency)} {row.currency}" for minor in (row.net, row.paid)
    )
    detail = f"{row.state} at {row.at:%Y-%m-%d %H:%M} UTC with {paid}; the statement shows {shown}"
    return Finding(kind=FindingKind.STATEMENT_MISSING, subject=f"payout {row.id}", detail=detail)
