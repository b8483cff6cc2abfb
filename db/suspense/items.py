"""Items of suspense as operators read them: pages by age, newest first, everything about one, what of it is open.

An item is an account of its own, and is called as the receipt or the obligation that it is about.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Rows, Tx
from domain.errors import BadInputError
from domain.ids import uuid_of
from domain.listings import SuspenseState

ITEMS: Final = """
    SELECT a.id AS account, CASE WHEN r.id IS NULL THEN 'obligation' ELSE 'receipt' END AS kind,
           coalesce(r.external_id, o.external_id) AS external_id, CASE WHEN b.debits > b.credits THEN 'open' ELSE 'resolved' END AS state,
           b.debits - b.credits AS open_minor, t.minor AS opened_minor, a.currency,
           CASE WHEN r.id IS NULL THEN m.reason ELSE format('it names %s, and no obligation was called so', quote_literal(r.reference)) END AS reason,
           e.created_at AS opened_at, CAST(floor(extract(epoch FROM clock_timestamp() - e.created_at) / 86400) AS integer) AS age_days,
           coalesce(f.owner, g.owner) AS owner, e.key AS opened_by, CAST(a.owner AS uuid) AS id
    FROM accounts a
    JOIN balances b ON b.account = a.id
    LEFT JOIN receipts r ON r.id = CAST(a.owner AS uuid)
    LEFT JOIN obligations o ON o.id = CAST(a.owner AS uuid)
    -- What opened it, the last time.
    LEFT JOIN LATERAL (
      SELECT x.id, x.key, x.created_at FROM postings p JOIN entries x ON x.id = p.entry
      WHERE p.debit = a.id AND x.type IN ('SUSPENSE_ESCALATED', 'SUSPENSE_ROUTED') ORDER BY p.entry DESC LIMIT 1) e ON true
    -- What left it and was reversed came back, and opened nothing.
    LEFT JOIN LATERAL (
      SELECT CAST(sum(p.amount) AS bigint) AS minor FROM postings p JOIN entries x ON x.id = p.entry
      WHERE p.debit = a.id AND x.type IN ('SUSPENSE_ESCALATED', 'SUSPENSE_ROUTED')) t ON true
    LEFT JOIN LATERAL (
      SELECT w.reason FROM moves w WHERE w.subject = o.id AND w.kind = 'obligation' AND w.target = 'ESCALATED'
      ORDER BY w.at DESC LIMIT 1) m ON true
    LEFT JOIN findings f ON f.key = concat('suspense-open:', CASE WHEN r.id IS NULL THEN 'obligation ' ELSE 'receipt ' END, a.owner)
    LEFT JOIN findings g ON g.key = concat('dispersal-escalated:obligation ', a.owner)
    WHERE a.kind = 'suspense'"""
"""Every item there ever was. Who looks after it is the owner of its finding, or of what told of its escalation."""

_NEWEST: Final = sa.text(f"""
    {ITEMS} AND a.bounded AND CASE CAST(:state AS text) WHEN 'all' THEN true WHEN 'resolved' THEN b.debits = b.credits ELSE b.debits > b.credits END
      AND a.id < coalesce((SELECT x.id FROM accounts x WHERE x.kind = 'suspense' AND x.owner = CAST(:after AS text)), 9223372036854775807)
    ORDER BY a.id DESC LIMIT :limit""")


def listing(tx: Tx, *, state: SuspenseState | None, after: UUID | None, limit: int) -> Rows:
    """One page, newest first; without a `state` of what is open. Raises `BadInputError` where `after` is no item."""
    if after is not None:
        find(tx, str(after))
    named = None if after is None else str(after)
    return tx.page(_NEWEST, state=state or SuspenseState.OPEN, after=named, limit=limit)


_FIND: Final = sa.text("""
    SELECT DISTINCT CAST(a.owner AS uuid) AS id
    FROM (
      SELECT id FROM receipts WHERE external_id = :name
      UNION ALL SELECT id FROM obligations WHERE external_id = :name
      UNION ALL SELECT CAST(:id AS uuid)) n
    JOIN accounts a ON a.kind = 'suspense' AND a.owner = CAST(n.id AS text)""")


def find(tx: Tx, name: str) -> UUID:
    """Return the item that `name` stands for: the id or the external id of a receipt or an obligation.

    Raises `BadInputError` for a name of none, or of two.
    """
    rows = tx.rows(_FIND, name=name, id=uuid_of(name))
    if not rows:
        rule = "must be the id or the external id of a receipt or an obligation in suspense"
        raise BadInputError("item", name, rule)
    if len(rows) > 1:
        both = " and ".join(str(row.id) for row in rows)
        raise BadInputError("item", name, f"is a receipt and an obligation: name one of {both}")
    found: UUID = rows[0].id
    return found


_SHOW: Final = sa.text(f"{ITEMS} AND a.owner = :item")


def show(tx: Tx, item: UUID) -> Row | None:
    """Everything about one item."""
    return tx.row(_SHOW, item=str(item))


_ENTRIES: Final = sa.text("""
    SELECT e.created_at AS at, e.type AS fact, d.kind AS debit, c.kind AS credit, p.amount AS amount_minor, e.currency, e.key,
           (SELECT x.key FROM entries x WHERE x.id = e.cause) AS about, e.reason, e.actor
    FROM accounts a
    JOIN postings p ON a.id IN (p.debit, p.credit)
    JOIN entries e ON e.id = p.entry
    JOIN accounts d ON d.id = p.debit
    JOIN accounts c ON c.id = p.credit
    WHERE a.kind = 'suspense' AND a.owner = :item ORDER BY e.id LIMIT 1000""")


def entries(tx: Tx, item: UUID) -> Sequence[Row]:
    """What opened an item and what left it, oldest first."""
    return tx.rows(_ENTRIES, item=str(item))
