"""Statement lines as operators read them: newest first, by key."""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from db.tx import Rows, Tx
from domain.errors import BadInputError
from domain.statements import OPEN, LineState

_FIELDS: Final = """
    l.number, l.line_id, l.state, l.occurred_at, l.side, l.amount AS amount_minor, l.fee AS fee_minor, l.currency,
    l.balance AS balance_minor, l.utr, l.source, l.source_id, l.payout, l.matched_by, l.provider, l.account, l.recorded_at"""

_NEWEST: Final = sa.text(f"""
    SELECT {_FIELDS} FROM statement_lines l
    WHERE l.number < coalesce(CAST(:after AS bigint), 9223372036854775807) AND (CAST(:state AS text) IS NULL OR l.state = :state)
    ORDER BY l.number DESC LIMIT :limit""")

_OPEN: Final = sa.text(f"""
    -- What is still to be concluded has an index of its own.
    SELECT {_FIELDS} FROM statement_lines l
    WHERE l.number < coalesce(CAST(:after AS bigint), 9223372036854775807)
      AND l.state IN ('waiting', 'differs', 'unmatched') AND l.state = :state
    ORDER BY l.number DESC LIMIT :limit""")

_IS_THERE: Final = sa.text("SELECT count(*) FROM statement_lines WHERE number = :number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which lines to list; None does not narrow. `after` is the number the last page ended with."""

    state: LineState | None = None
    after: int | None = None
    limit: int = 50


def listing(tx: Tx, page: Page) -> Rows:
    """One page of lines, those taken over last first.

    Raises `BadInputError` where `after` is no line: a page must not silently begin anew.
    """
    if page.after is not None and not tx.scalar(_IS_THERE, number=page.after):
        raise BadInputError("--after", page.after, "must be the number of a line")
    statement = _OPEN if page.state in OPEN else _NEWEST
    return tx.page(statement, state=page.state, after=page.after, limit=page.limit)
