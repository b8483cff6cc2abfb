"""Wallets as operators read them: pages by age, newest first, everything about one, and what of it is theirs to say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import changes
from db.tx import Row, Rows, Tx
from domain.batching import Period
from domain.errors import BadInputError

_FIELDS: Final = """
      w.id, y.name AS payee, y.kind, w.currency, b.credits - b.debits AS balance_minor,
      greatest(0, wallet_left(w.id, w.account)) AS left_minor, w.frequency, w.minimum AS minimum_minor, w.opted_out, w.created_at"""
_JOINS: Final = """
    JOIN payees y ON y.id = w.payee
    JOIN balances b ON b.account = w.account"""

_NEWEST: Final = sa.text(f"""
    WITH page AS MATERIALIZED (
      SELECT * FROM wallets
      WHERE (created_at, id) < (
          coalesce((SELECT a.created_at FROM wallets a WHERE a.id = CAST(:after AS uuid)), 'infinity'),
          coalesce(CAST(:after AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
      ORDER BY created_at DESC, id DESC LIMIT :limit)
    SELECT {_FIELDS} FROM page w {_JOINS} ORDER BY w.created_at DESC, w.id DESC""")


def listing(tx: Tx, *, after: UUID | None, limit: int) -> Rows:
    """One page, newest first. Raises `BadInputError` where `after` is no wallet."""
    if after is not None:
        find(tx, str(after))
    return tx.page(_NEWEST, after=after, limit=limit)


_FIND: Final = sa.text("""
    SELECT w.id, w.currency FROM wallets w JOIN payees y ON y.id = w.payee WHERE y.name = :name
    UNION
    SELECT w.id, w.currency FROM wallets w
    WHERE w.id = CASE WHEN :name ~ '^[0-9a-fA-F-]{32,36}$' AND length(replace(:name, '-', '')) = 32
                      THEN CAST(:name AS uuid) END
    ORDER BY currency""")


def find(tx: Tx, name: str) -> UUID:
    """Return the wallet that `name` stands for: its id, or its owner's name where that has one wallet.

    Raises `BadInputError` for a name of none, or of several.
    """
    rows = tx.rows(_FIND, name=name)
    if not rows:
        raise BadInputError("wallet", name, "must be the id of a wallet, or its owner's name")
    if len(rows) > 1:
        named = ", ".join(f"{row.id} ({row.currency})" for row in rows)
        raise BadInputError("wallet", name, f"has several, name one by its id: {named}")
    found: UUID = rows[0].id
    return found


_SHOW: Final = sa.text(f"""
    SELECT {_FIELDS}, w.account, w.updated_at FROM wallets w {_JOINS} WHERE w.id = :id""")


def show(tx: Tx, wallet: UUID) -> Row | None:
    """Everything about one wallet."""
    return tx.row(_SHOW, id=wallet)


_HISTORY: Final = sa.text("""
    SELECT * FROM (
      SELECT p.at, e.type AS fact, CASE WHEN p.credit = w.account THEN p.amount ELSE - p.amount END AS minor, e.key AS detail, e.actor
      FROM wallets w JOIN postings p ON w.account IN (p.debit, p.credit) JOIN entries e ON e.id = p.entry WHERE w.id = :id
      UNION ALL
      SELECT p.created_at, 'payout made', - p.amount, p.external_id, p.created_by FROM payouts p WHERE p.wallet = :id
      UNION ALL
      SELECT at, what, NULL, why, who FROM changes WHERE subject = CAST(:id AS text)
      ORDER BY at DESC LIMIT 1000) newest
    ORDER BY at""")


def history(tx: Tx, wallet: UUID) -> Sequence[Row]:
    """What became of one wallet, oldest first, the newest 1000: postings, payouts made of it, what was said of it."""
    return tx.rows(_HISTORY, id=wallet)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is said of a wallet; None leaves it as it is. `minimum_minor` 0: none of its own."""

    frequency: Period | None = None
    minimum_minor: int | None = None
    opted_out: bool | None = None


_WISH: Final = sa.text("""
    UPDATE wallets SET updated_at = clock_timestamp(), frequency = coalesce(:frequency, frequency),
           minimum = CASE WHEN CAST(:minimum AS bigint) IS NULL THEN minimum ELSE nullif(:minimum, 0) END,
           opted_out = coalesce(CAST(:opted_out AS boolean), opted_out)
    WHERE id = :id""")


def wish(tx: Tx, wallet: UUID, said: Wish, *, actor: str, why: str) -> None:
    """Write down how a wallet is to be paid out from the next batch on, who said so and why."""
    tx.run(
        _WISH,
        id=wallet,
        frequency=said.frequency,
        minimum=said.minimum_minor,
        opted_out=said.opted_out,
    )
    changes.note(tx, "wallet.set", [str(wallet)], who=actor, why=why)
