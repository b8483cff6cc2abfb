"""Accounts of the books: opened when first needed, with their balance rows at zero."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from db.tx import Tx
from domain.ledger import AccountKind
from domain.ledger_rules import ACCOUNT_RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose account is meant: a kind, its owner ('' for the system's own), a currency."""

    kind: AccountKind
    owner: str
    currency: str


_OPEN: Final = sa.text("""
    WITH wanted AS (
      SELECT DISTINCT * FROM unnest(CAST(:kinds AS text[]), CAST(:owners AS text[]), CAST(:currencies AS text[]),
        CAST(:normals AS text[]), CAST(:stripes AS int[]), CAST(:bounded AS boolean[]))
        AS w (kind, owner, currency, normal, stripes, bounded)),
    opened AS (
      INSERT INTO accounts (kind, owner, currency, normal, stripes, bounded)
      SELECT kind, owner, currency, CAST(normal AS "char"), stripes, bounded FROM wanted ORDER BY kind, owner, currency
      ON CONFLICT (kind, owner, currency) DO NOTHING RETURNING *),
    rows AS (
      INSERT INTO balances (account, stripe, floor)
      SELECT o.id, s, CASE WHEN o.bounded THEN o.normal END FROM opened o, generate_series(0, o.stripes - 1) s)
    SELECT id, kind, owner, currency FROM opened
    UNION ALL
    SELECT a.id, a.kind, a.owner, a.currency FROM accounts a JOIN wanted w USING (kind, owner, currency)""")


def open_accounts(tx: Tx, wanted: Iterable[Owner]) -> dict[Owner, int]:
    """Return the id of each account, making those that are missing, with their balance rows at zero."""
    asked = sorted(set(wanted), key=lambda o: (o.kind, o.owner, o.currency))
    rules = [ACCOUNT_RULES[o.kind] for o in asked]
    parameters: dict[str, object] = {
        "kinds": [o.kind.value for o in asked],
        "owners": [o.owner for o in asked],
        "currencies": [o.currency for o in asked],
        "normals": [r.normal.value for r in rules],
        "stripes": [r.stripes for r in rules],
        "bounded": [r.bounded for r in rules],
    }
    found = _accounts(tx, parameters)
    if len(found) < len(
        asked
    ):  # a twin made some while we looked: they are visible to a second look
        found = _accounts(tx, parameters)
    return found


def _accounts(tx: Tx, parameters: dict[str, object]) -> dict[Owner, int]:
    rows = tx.rows(_OPEN, **parameters)
    return {Owner(kind=AccountKind(r.kind), owner=r.owner, currency=r.currency): r.id for r in rows}


_FIND: Final = sa.text("""
    SELECT a.id, a.kind, a.owner, a.currency
    FROM unnest(CAST(:kinds AS text[]), CAST(:owners AS text[]), CAST(:currencies AS text[])) AS w (kind, owner, currency)
    JOIN accounts a USING (kind, owner, currency)""")


def accounts_of(tx: Tx, wanted: Iterable[Owner]) -> dict[Owner, int]:
    """The same where most are there already: only what is missing is written."""
    asked = set(wanted)
    rows = tx.rows(
        _FIND,
        kinds=[o.kind.value for o in asked],
        owners=[o.owner for o in asked],
        currencies=[o.currency for o in asked],
    )
    found = {
        Owner(kind=AccountKind(r.kind), owner=r.owner, currency=r.currency): r.id for r in rows
    }
    missing = asked - found.keys()
    return found | open_accounts(tx, missing) if missing else found
