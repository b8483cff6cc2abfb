"""Payees as operators read them: pages by name, and everything about one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Rows, Tx
from domain.errors import BadInputError
from domain.ids import uuid_of

_BALANCES: Final = """
    SELECT a.currency,
           CAST(coalesce(sum(b.credits - b.debits) FILTER (WHERE a.kind IN ('payee_payable', 'wallet', 'lender_payable')), 0) AS bigint) AS owed_minor,
           CAST(coalesce(sum(b.debits - b.credits) FILTER (WHERE a.kind = 'payee_receivable'), 0) AS bigint) AS owing_minor
    FROM accounts a JOIN balances b ON b.account = a.id
    WHERE a.kind IN ('payee_payable', 'payee_receivable', 'wallet', 'lender_payable') AND a.owner = CAST({payee} AS text)
    GROUP BY a.currency"""

_PAGE: Final = sa.text(f"""
    WITH page AS MATERIALIZED (
      SELECT * FROM payees WHERE name > coalesce(CAST(:after AS text), '') ORDER BY name LIMIT :limit)
    SELECT p.id, p.name, p.kind, p.tax_class, p.has_pan, p.resident, d.fund_account_id, d.verified,
           s.currency, s.owed_minor, s.owing_minor
    FROM page p
    LEFT JOIN payout_accounts d ON d.payee = p.id AND d.is_default
    LEFT JOIN LATERAL ({_BALANCES.format(payee="p.id")}) s ON true
    ORDER BY p.name, s.currency""")


HISTORY_MAX: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which payees to list; `after` is the name the last page ended with."""

    after: str | None = None
    limit: int = 50


def listing(tx: Tx, page: Page) -> Rows:
    """One page of payees by name, each with what is owed to it and by it: one row for each currency."""
    return tx.page(_PAGE, after=page.after, limit=page.limit)


_FIND: Final = sa.text("""
    SELECT id, name FROM payees WHERE name = :name
    UNION ALL
    SELECT id, name FROM payees WHERE id = CAST(:id AS uuid) AND name <> :name""")


def find(tx: Tx, name: str) -> tuple[UUID, str]:
    """Return the payee that `name` stands for, by its name or else its id, and its name.

    Raises `BadInputError` for one of nobody.
    """
    found = tx.rows(_FIND, name=name, id=uuid_of(name))
    if not found:
        raise BadInputError("payee", name, "must be the name or the id of a payee")
    return found[0].id, found[0].name


_SHOW: Final = sa.text(
    "SELECT id, name, kind, tax_class, has_pan, resident, email FROM payees WHERE id = :id"
)
_ACCOUNTS: Final = sa.text("""
    SELECT id, fund_account_id, kind, active, verified, is_default FROM payout_accounts WHERE payee = :id ORDER BY fund_account_id""")
_OF_ONE: Final = sa.text(f"{_BALANCES.format(payee=':id')} ORDER BY a.currency")


def show(tx: Tx, payee: UUID) -> Row | None:
    """What is known of one payee."""
    return tx.row(_SHOW, id=payee)


def destinations(tx: Tx, payee: UUID) -> Sequence[Row]:
    """Where one payee is paid: accounts as the provider knows them."""
    return tx.rows(_ACCOUNTS, id=payee)


def balances(tx: Tx, payee: UUID) -> Sequence[Row]:
    """What is owed to one payee, and by them, in each currency."""
    return tx.rows(_OF_ONE, id=payee)


_HISTORY: Final = sa.text("""
    WITH theirs AS MATERIALIZED (
      SELECT CAST(id AS text) AS subject, fund_account_id FROM payout_accounts WHERE payee = :id
      UNION ALL
      SELECT CAST(CAST(:id AS uuid) AS text), NULL)
    SELECT c.at, c.what, t.fund_account_id, c.who, c.why FROM changes c JOIN theirs t ON t.subject = c.subject
    ORDER BY c.id DESC LIMIT :limit""")


def history(tx: Tx, payee: UUID) -> Sequence[Row]:
    """What operators said of one payee and its accounts, newest first."""
    return tx.rows(_HISTORY, id=payee, limit=HISTORY_MAX)
