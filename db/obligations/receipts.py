"""Receipts as operators read them: pages by age, newest first, and all that came of one."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Rows, Tx
from domain.errors import BadInputError
from domain.ids import uuid_of
from domain.listings import ReceiptState

_FIELDS: Final = """
      r.external_id, CASE WHEN r.reversed_at IS NOT NULL THEN 'reversed' WHEN b.debits > b.credits THEN 'suspense' ELSE 'received' END AS state,
      r.reference, o.external_id AS obligation, r.amount AS amount_minor, r.currency, r.received_on, r.method,
      coalesce(b.debits - b.credits, 0) AS suspense_minor, r.reversed_at, r.created_at, r.id"""
_JOINS: Final = """
    LEFT JOIN obligations o ON o.id = r.obligation
    -- One that matched no obligation is an item of suspense, an account of its own.
    LEFT JOIN accounts a ON r.obligation IS NULL AND a.kind = 'suspense' AND a.owner = CAST(r.id AS text) AND a.currency = r.currency
    LEFT JOIN balances b ON b.account = a.id"""

_PAGE: Final = f"""
    SELECT * FROM (SELECT {_FIELDS} FROM receipts r {_JOINS} WHERE %s) r
    WHERE (CAST(:state AS text) IS NULL OR r.state = :state) AND (r.created_at, r.id) < (
        coalesce((SELECT x.created_at FROM receipts x WHERE x.id = CAST(:after AS uuid)), 'infinity'),
        coalesce(CAST(:after AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY r.created_at DESC, r.id DESC LIMIT :limit"""
_NEWEST: Final = sa.text(_PAGE % "true")
_IN_SUSPENSE: Final = sa.text(_PAGE % "r.obligation IS NULL")


def listing(tx: Tx, *, state: ReceiptState | None, after: UUID | None, limit: int) -> Rows:
    """One page, newest first. Raises `BadInputError` where `after` is no receipt."""
    if after is not None:
        find(tx, str(after))
    statement = _IN_SUSPENSE if state is ReceiptState.SUSPENSE else _NEWEST
    return tx.page(statement, state=state, after=after, limit=limit)


_FIND: Final = sa.text("""
    SELECT id FROM (
      SELECT id, 1 AS n FROM receipts WHERE external_id = :name
      UNION ALL SELECT id, 2 FROM receipts WHERE id = CAST(:id AS uuid)) f
    ORDER BY n LIMIT 1""")


def find(tx: Tx, name: str) -> UUID:
    """Return the receipt that `name` stands for: its id, or what another system calls it. Raises `BadInputError`."""
    row = tx.row(_FIND, name=name, id=uuid_of(name))
    if row is None:
        raise BadInputError("receipt", name, "must be the id or the external id of a receipt")
    found: UUID = row.id
    return found


_SHOW: Final = sa.text(f"SELECT {_FIELDS} FROM receipts r {_JOINS} WHERE r.id = :id")


def show(tx: Tx, receipt: UUID) -> Row | None:
    """Everything about one receipt."""
    return tx.row(_SHOW, id=receipt)


_ENTRIES: Final = sa.text("""
    -- What left its item, by the account; what is about it, by the keys of the whole and of each part; and what reversed those.
    WITH item AS MATERIALIZED (
      SELECT p.entry FROM accounts a JOIN postings p ON p.credit = a.id WHERE a.kind = 'suspense' AND a.owner = :id),
    parts AS (
      SELECT NULL AS part UNION ALL SELECT CAST(n AS text) FROM generate_series(1, (SELECT count(*) FROM item)) AS s (n)),
    keys AS (
      SELECT concat_ws(':', 'receipt', :id, w.word, p.part) AS key FROM parts p CROSS JOIN (VALUES ('received'), ('applied')) AS w (word)
      UNION ALL SELECT concat('suspense-routed', ':', :id)),
    about AS (
      SELECT entry AS id FROM item
      UNION SELECT r.id FROM item i JOIN entries r ON r.cause = i.entry AND r.type = 'REVERSAL'
      UNION SELECT e.id FROM keys k JOIN entries e ON e.key IN (k.key, concat('reversal', ':', k.key)))
    SELECT e.created_at AS at, e.type AS fact, d.kind AS debit, c.kind AS credit, p.amount AS amount_minor, e.currency, e.key, e.reason, e.actor
    FROM about JOIN entries e ON e.id = about.id JOIN postings p ON p.entry = e.id
    JOIN accounts d ON d.id = p.debit JOIN accounts c ON c.id = p.credit
    ORDER BY e.id, p.debit, p.credit LIMIT 1000""")


def entries(tx: Tx, receipt: UUID) -> Sequence[Row]:
    """What the books say of one receipt, oldest first: a row for each leg."""
    return tx.rows(_ENTRIES, id=str(receipt))
