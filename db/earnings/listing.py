"""Earnings as operators read them: pages by age, newest first, and everything about one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Rows, Tx
from domain.earnings import EarningState
from domain.errors import BadInputError

_FIELDS: Final = """
      e.id, e.external_id, y.name AS payee, e.kind, e.state, e.amount AS amount_minor, e.refunded AS refunded_minor,
      e.currency, e.disputed, e.ready_at, p.external_id AS payout, e.created_at"""
_JOINS: Final = """
    JOIN payees y ON y.id = e.payee
    LEFT JOIN payout_earnings l ON l.earning = e.id AND l.live
    LEFT JOIN payouts p ON p.id = l.payout"""

_NEWEST: Final = sa.text(f"""
    WITH page AS MATERIALIZED (
      SELECT * FROM earnings
      WHERE (created_at, id) < (
          coalesce((SELECT a.created_at FROM earnings a WHERE a.id = CAST(:after AS uuid)), 'infinity'),
          coalesce(CAST(:after AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
        AND (CAST(:state AS text) IS NULL OR state = :state)
      ORDER BY created_at DESC, id DESC LIMIT :limit)
    SELECT {_FIELDS} FROM page e {_JOINS} ORDER BY e.created_at DESC, e.id DESC""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which earnings to list; None does not narrow. `after` is the id the last page ended with."""

    state: EarningState | None = None
    after: UUID | None = None
    limit: int = 50


def listing(tx: Tx, page: Page) -> Rows:
    """One page, newest first. Raises `BadInputError` where `after` is no earning."""
    if page.after is not None:
        find(tx, [str(page.after)])
    return tx.page(_NEWEST, state=page.state, after=page.after, limit=page.limit)


_FIND: Final = sa.text("""
    SELECT n.name, e.id FROM unnest(CAST(:names AS text[])) AS n (name)
    JOIN earnings e ON e.external_id = n.name
    UNION ALL
    SELECT n.name, e.id FROM unnest(CAST(:names AS text[])) AS n (name)
    JOIN earnings e ON e.id = CASE WHEN n.name ~ '^[0-9a-fA-F-]{32,36}$' AND length(replace(n.name, '-', '')) = 32
                                   THEN CAST(n.name AS uuid) END""")


def find(tx: Tx, names: Sequence[str]) -> dict[str, UUID]:
    """Return the earning that each name stands for: its external id, or else its id.

    Raises `BadInputError` for the first name of none.
    """
    found: dict[str, UUID] = {}
    for row in tx.rows(_FIND, names=list(names)):
        found.setdefault(row.name, row.id)
    for name in names:
        if name not in found:
            raise BadInputError("earning", name, "must be the id or the external id of an earning")
    return found


_CURRENCIES: Final = sa.text(
    "SELECT id, currency FROM earnings WHERE id = ANY(CAST(:ids AS uuid[]))"
)


def currencies(tx: Tx, earnings: Sequence[UUID]) -> dict[UUID, str]:
    """The currency of each earning that exists."""
    return {row.id: row.currency for row in tx.rows(_CURRENCIES, ids=list(earnings))}


_SHOW: Final = sa.text(f"""
    SELECT {_FIELDS}, e.held, e.contested, e.gross AS gross_minor, e.earned_at, e.updated_at FROM earnings e {_JOINS} WHERE e.id = :id""")


def show(tx: Tx, earning: UUID) -> Row | None:
    """Everything about one earning."""
    return tx.row(_SHOW, id=earning)


_HISTORY: Final = sa.text("""
    SELECT at, source || ' -> ' || target AS fact, reason AS detail, actor FROM moves WHERE subject = :id
    UNION ALL
    SELECT at, what, why, who FROM changes WHERE subject = CAST(:id AS text)
    UNION ALL
    SELECT p.created_at, 'linked to payout ' || p.external_id, NULL, p.created_by
    FROM payout_earnings l JOIN payouts p ON p.id = l.payout WHERE l.earning = :id AND l.live
    ORDER BY at LIMIT 1000""")


def history(tx: Tx, earning: UUID) -> Sequence[Row]:
    """What became of one earning, oldest first: what was said of it, and the payouts it was in."""
    return tx.rows(_HISTORY, id=earning)
