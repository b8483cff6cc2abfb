"""Find the payouts that lines are about, and judge each line that is still open against the books.

A line is matched where its amount is its payout's and all that the bank moved for that payout, over
every line there is, is what the books say it paid: the net amount of what is COMPLETED, nothing of what
failed, was cancelled or given back. So a debit without its reversal, a reversal nobody here heard of and
a payout debited twice are all seen by one comparison.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from db.statements.account import alone
from db.tx import Row, Tx
from domain.findings import Finding, FindingKind
from domain.money import format_major
from domain.payouts import SUBMIT
from domain.statements import LineState

PAGE: Final = 5_000
_OPEN: Final = "state IN ('waiting', 'differs', 'unmatched')"
_K: Final = FindingKind

_NAME: Final = sa.text(f"""
    WITH unnamed AS MATERIALIZED (
      SELECT number, provider, account, source_id FROM statement_lines
      WHERE {_OPEN} AND payout IS NULL AND source_id IS NOT NULL AND number > :after
      ORDER BY number LIMIT :limit),
    named AS (
      UPDATE statement_lines l SET payout = e.subject, matched_by = 'provider_id'
      FROM unnamed u
      JOIN effect_payments n ON n.provider_id = u.source_id AND n.provider = u.provider AND n.account = u.account
      JOIN effects e ON e.key = n.key AND e.kind = :kind
      WHERE l.number = u.number)
    SELECT CASE WHEN count(*) = :limit THEN max(number) END AS after FROM unnamed""")


_RETURNED: Final = sa.text(f"""
    WITH back AS MATERIALIZED (
      SELECT number, provider, account, utr, amount - fee AS net FROM statement_lines
      WHERE {_OPEN} AND payout IS NULL AND utr IS NOT NULL AND side = 'credit' AND number > :after
      ORDER BY number LIMIT :limit),
    found AS MATERIALIZED (
      -- Where a bank gave one UTR twice, it gives back the payout whose amount it has.
      SELECT DISTINCT ON (b.number) b.number, d.payout
      FROM back b
      JOIN statement_lines d ON d.utr = b.utr AND d.provider = b.provider AND d.account = b.account
       AND d.side = 'debit' AND d.payout IS NOT NULL
      ORDER BY b.number, d.amount - d.fee = b.net DESC, d.number),
    named AS (
      UPDATE statement_lines l SET payout = f.payout, matched_by = 'utr' FROM found f WHERE l.number = f.number)
    SELECT CASE WHEN count(*) = :limit THEN max(number) END AS after FROM back""")


def name_returns(tx: Tx, after: int) -> int | None:
    """Find what a page of credits gives back by the UTR of a debit that is known, whatever its age; None ends it."""
    alone(tx)
    following: int | None = tx.scalar(_RETURNED, after=after, limit=PAGE)
    return following


def name(tx: Tx, after: int) -> int | None:
    """Find by the provider's ids what a page of lines is about that nobody knew before; None ends it."""
    alone(tx)
    following: int | None = tx.scalar(_NAME, after=after, limit=PAGE, kind=SUBMIT)
    return following


_JUDGE: Final = sa.text(f"""
    WITH page AS MATERIALIZED (
      SELECT ctid AS place, * FROM statement_lines
      WHERE {_OPEN} AND number > :after ORDER BY number LIMIT :limit),
    held AS MATERIALIZED (
      SELECT g.*, p.state AS payout_state, coalesce(p.net_amount, p.amount) AS net, p.currency AS payout_currency, m.net AS moved,
             CASE p.state WHEN 'COMPLETED' THEN coalesce(p.net_amount, p.amount) ELSE 0 END AS paid,
             g.occurred_at > :young_after AS young,
             -- A person's word about what was wrong with a line stands.
             g.state <> 'waiting' AND EXISTS (
               SELECT FROM findings f
               WHERE f.key IN (concat_ws(:mark, CAST(:unmatched AS text), g.provider, g.line_id),
                               concat_ws(:mark, CAST(:amount AS text), g.provider, g.line_id), concat(CAST(:in_all AS text), g.payout))
                 -- Of what was there to be looked at: a later line of the same payout is a new matter.
                 AND f.resolved_at > g.recorded_at AND NOT f.auto_healed) AS explained
      FROM page g
      LEFT JOIN payouts p ON p.id = g.payout
      -- All that the bank moved for the payout, whichever statements told of it. Row by row, as nobody knows the page's size.
      LEFT JOIN LATERAL (
        SELECT sum(CASE l.side WHEN 'debit' THEN l.amount - l.fee ELSE l.fee - l.amount END) AS net
        FROM statement_lines l WHERE l.payout = g.payout) m ON true),
    judged AS MATERIALIZED (
      SELECT h.*, h.amount - h.fee <> h.net OR h.currency <> h.payout_currency AS amount_differs,
        CASE
          WHEN h.explained THEN 'explained'
          WHEN h.source = 'fee' THEN 'fee'
          -- What names a debit that nobody has named yet is no money put in.
          WHEN h.payout IS NULL AND h.source = 'other' AND h.side = 'credit' AND NOT EXISTS (
            SELECT FROM statement_lines d
            WHERE d.utr = h.utr AND d.provider = h.provider AND d.account = h.account AND d.side = 'debit'
              AND d.payout IS NULL AND d.{_OPEN}) THEN 'deposit'
          WHEN h.payout IS NULL AND h.young THEN 'waiting'
          WHEN h.payout IS NULL THEN 'unmatched'
          WHEN h.amount - h.fee <> h.net OR h.currency <> h.payout_currency THEN 'differs'
          WHEN h.moved = h.paid THEN 'matched'
          WHEN h.young OR h.payout_state = 'PROCESSING' THEN 'waiting'
          ELSE 'differs' END AS becomes
      FROM held h),
    changed AS (
      -- Where they are, since nobody else changes them meanwhile: no second way through an index.
      UPDATE statement_lines l SET state = j.becomes FROM judged j WHERE l.ctid = j.place AND j.becomes <> j.state)
    SELECT seen.looked_at, seen.last, j.provider, j.line_id, j.occurred_at, j.side, j.amount, j.fee, j.currency, j.utr, j.source_id, j.payout,
           j.payout_state, j.net, j.payout_currency, j.moved, j.paid, j.amount_differs, j.becomes
    FROM (SELECT count(*) AS looked_at, max(number) AS last FROM page) seen
    LEFT JOIN judged j ON j.becomes IN ('differs', 'unmatched')
    ORDER BY j.number""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One page: what is wrong with its lines; `after` None ends it."""

    looked_at: int
    after: int | None
    rows: Sequence[Row]

    @property
    def findings(self) -> list[Finding]:
        """One for each; of lines about one payout, one for all."""
        return [_finding(row) for row in self.rows]


def judge(tx: Tx, after: int, *, young_after: datetime) -> Judged:
    """Judge a page of open lines; what is younger than `young_after` waits for the books."""
    alone(tx)
    rows = tx.rows(
        _JUDGE,
        after=after,
        limit=PAGE,
        young_after=young_after,
        mark=":",
        unmatched=_K.STATEMENT_LINE_UNMATCHED.value,
        amount=_K.STATEMENT_AMOUNT_DIFFERS.value,
        in_all=f"{_K.STATEMENT_STATE_DIFFERS}:payout ",
    )
    first = rows[0]
    return Judged(
        looked_at=first.looked_at,
        after=first.last if first.looked_at == PAGE else None,
        rows=[row for row in rows if row.line_id is not None],
    )


def _finding(row: Row) -> Finding:
    subject = f"{row.provider}:{row.line_id}"
    said = (
        f"{row.side} of {_money(row.amount, row.currency)} at {row.occurred_at:%Y-%m-%d %H:%M} UTC"
    )
    if row.becomes == LineState.UNMATCHED:
        named = ", ".join(
            f"{what} {value}" for what, value in (("of", row.source_id), ("UTR", row.utr)) if value
        )
        detail = f"{said} {named}: no payout".replace(" :", ":")
        return Finding(kind=_K.STATEMENT_LINE_UNMATCHED, subject=subject, detail=detail)
    if row.amount_differs:
        fee = f" with a fee of {_money(row.fee, row.currency)}" if row.fee else ""
        detail = f"{said}{fee}; payout {row.payout} is of {_money(row.net, row.payout_currency)}"
        return Finding(kind=_K.STATEMENT_AMOUNT_DIFFERS, subject=subject, detail=detail)
    detail = (
        f"the bank moved {_money(row.moved, row.currency)} for it in all; the books say "
        f"{row.payout_state}: {_money(row.paid, row.currency)}"
    )
    return Finding(kind=_K.STATEMENT_STATE_DIFFERS, subject=f"payout {row.payout}", detail=detail)


def _money(minor: int, currency: str) -> str:
    return f"{format_major(int(minor), currency)} {currency}"
