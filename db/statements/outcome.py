"""What a statement came to: findings that are true no more, counts and sums by what its lines are."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from db import findings
from db.statements.account import OF, Account
from db.tx import Row, Tx
from domain.findings import FindingKind
from domain.statements import LineState

_K: Final = FindingKind

_OF_LINES: Final = sa.text("""
    SELECT f.key FROM findings f
    JOIN statement_lines l ON l.provider = :provider AND l.account = :account
     AND l.line_id = substr(f.subject, length(CAST(:provider AS text)) + 2)
    WHERE f.kind = :kind AND f.resolved_at IS NULL AND l.state <> :state""")

_IN_ALL: Final = sa.text("""
    SELECT f.key FROM findings f
    WHERE f.kind = :kind AND f.resolved_at IS NULL AND f.subject LIKE 'payout %' AND NOT EXISTS (
      SELECT FROM statement_lines l WHERE l.payout = CAST(substr(f.subject, length('payout ') + 1) AS uuid) AND l.state = 'differs')""")

_MISSING: Final = sa.text("""
    SELECT f.key FROM findings f
    JOIN payouts p ON p.id = CAST(substr(f.subject, length('payout ') + 1) AS uuid)
    WHERE f.kind = :kind AND f.resolved_at IS NULL AND f.subject LIKE 'payout %'
      AND CASE p.state WHEN 'COMPLETED' THEN coalesce(p.net_amount, p.amount) ELSE 0 END = coalesce((
        SELECT sum(CASE l.side WHEN 'debit' THEN l.amount - l.fee ELSE l.fee - l.amount END) FROM statement_lines l WHERE l.payout = p.id), 0)""")

_GAPS: Final = sa.text("""
    SELECT f.key FROM findings f
    JOIN statement_lines l ON l.provider = :provider AND l.account = :account
     AND l.line_id = substr(f.subject, length(CAST(:provider AS text)) + 2)
    WHERE f.kind = :kind AND f.resolved_at IS NULL AND l.occurred_at >= :start AND f.key <> ALL(CAST(:seen AS text[]))
      AND l.occurred_at <= :until""")


def heal(tx: Tx, whose: Account) -> list[str]:
    """Resolve findings about lines and payouts whose statement and books agree by now; returns their keys."""
    named = {"provider": whose.provider, "account": whose.account}
    over = [
        *tx.rows(_OF_LINES, kind=_K.STATEMENT_LINE_UNMATCHED, state=LineState.UNMATCHED, **named),
        *tx.rows(_OF_LINES, kind=_K.STATEMENT_AMOUNT_DIFFERS, state=LineState.DIFFERS, **named),
        *tx.rows(_IN_ALL, kind=_K.STATEMENT_STATE_DIFFERS),
        *tx.rows(_MISSING, kind=_K.STATEMENT_MISSING),
    ]
    return findings.cease(tx, [row.key for row in over])


def heal_gaps(
    tx: Tx, whose: Account, seen: Collection[str], *, start: datetime, until: datetime
) -> list[str]:
    """Resolve gaps from `start` on that were not `seen`, up to the last moment looked at; returns their keys."""
    over = tx.rows(
        _GAPS,
        kind=_K.STATEMENT_GAP,
        provider=whose.provider,
        account=whose.account,
        seen=list(seen),
        start=start,
        until=until,
    )
    return findings.cease(tx, [row.key for row in over])


_SUMMARY: Final = sa.text(f"""
    SELECT state, currency, count(*) AS lines,
           CAST(coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0) AS bigint) AS debits_minor,
           CAST(coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0) AS bigint) AS credits_minor,
           CAST(sum(fee) AS bigint) AS fees_minor
    FROM statement_lines
    WHERE {OF} AND occurred_at >= :start AND occurred_at < :end
    GROUP BY state, currency ORDER BY state, currency""")


def summary(tx: Tx, whose: Account, *, start: datetime, end: datetime) -> Sequence[Row]:
    """Lines of a time by what they are: how many, and what they took and gave."""
    named = {"provider": whose.provider, "account": whose.account}
    return tx.rows(_SUMMARY, start=start, end=end, **named)
