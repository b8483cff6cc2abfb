"""Who books and what is offered, as operators read it: pages by age, newest first."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Rows, Tx
from domain.errors import BadInputError

_OLDER: Final = """
      WHERE (created_at, id) < (
          coalesce((SELECT a.created_at FROM {table} a WHERE a.id = CAST(:after AS uuid)), 'infinity'),
          coalesce(CAST(:after AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
      ORDER BY created_at DESC, id DESC LIMIT :limit"""
_CUSTOMERS: Final = sa.text(f"""
    WITH page AS MATERIALIZED (SELECT * FROM customers {_OLDER.format(table="customers")})
    SELECT p.external_id, p.name, p.email, y.name AS payee, o.name AS organisation, p.created_at, p.id
    FROM page p LEFT JOIN payees y ON y.id = p.payee LEFT JOIN payees o ON o.id = p.organisation
    ORDER BY p.created_at DESC, p.id DESC""")
_PLANS: Final = sa.text(f"""
    WITH page AS MATERIALIZED (SELECT * FROM plans {_OLDER.format(table="plans")})
    SELECT p.external_id, y.name AS consultant, p.kind, p.title, p.price AS price_minor, p.currency, p.minutes, p.times, p.active,
           p.created_at, p.id
    FROM page p JOIN payees y ON y.id = p.consultant
    ORDER BY p.created_at DESC, p.id DESC""")


def customers(tx: Tx, *, after: UUID | None, limit: int) -> Rows:
    """One page of customers. Raises `BadInputError` where `after` is none."""
    return _page(tx, _CUSTOMERS, "customer", after, limit)


def plans(tx: Tx, *, after: UUID | None, limit: int) -> Rows:
    """One page of plans. Raises `BadInputError` where `after` is none."""
    return _page(tx, _PLANS, "plan", after, limit)


def _page(tx: Tx, statement: sa.TextClause, kind: str, after: UUID | None, limit: int) -> Rows:
    known = sa.text(f"SELECT true FROM {kind}s WHERE id = :after")
    if after is not None and not tx.scalar(known, after=after):
        raise BadInputError("--after", str(after), f"must be the id of a {kind}")
    return tx.page(statement, after=after, limit=limit)
