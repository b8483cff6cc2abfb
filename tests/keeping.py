"""Wallets with money in them, whose owners can be paid, for tests of whatever is made of them."""

from collections.abc import Sequence
from uuid import UUID

from db import installation
from db.engine import Database
from db.importing.order import Imported, Lines
from db.wallets import imports
from domain.wallet_lines import WalletLine
from tests.builders import rows
from tests.earning import know, payee


def credit(external_id: str = "W-1", **changes: object) -> WalletLine:
    """One valid line; `changes` by field."""
    fields: dict[str, object] = {
        "external_id": external_id,
        "payee": "payee 0",
        "amount_minor": 100_000,
        "currency": "INR",
    }
    return WalletLine(**{**fields, **changes})  # type: ignore[arg-type]  # fields by name


def keep(database: Database, lines: Sequence[WalletLine], *, partial: bool = False) -> Imported:
    """Import credits in a transaction of their own."""
    order = Lines(lines=lines, file="wallets.csv", partial=partial)
    with database.begin(60) as tx:
        return imports.take_over(tx, installation.get(tx).id, order, actor="asha")


def fill(database: Database, count: int = 1, *, each: int = 100_000, kind: str = "person") -> None:
    """Let `count` payees who can be paid have a wallet each."""
    know(database, [payee(f"payee {n}", kind=kind) for n in range(count)])
    keep(database, [credit(f"W-{n}", payee=f"payee {n}", amount_minor=each) for n in range(count)])


def held(database: Database) -> dict[str, int]:
    """What each wallet holds, by its owner's name, in minor units."""
    found = rows(
        database,
        """SELECT y.name, b.credits - b.debits AS minor FROM wallets w JOIN payees y ON y.id = w.payee
           JOIN balances b ON b.account = w.account""",
    )
    return {row.name: row.minor for row in found}


def left(database: Database) -> dict[str, int]:
    """What is left of each, by its owner's name."""
    found = rows(
        database,
        """SELECT y.name, wallet_left(w.id, w.account) AS minor FROM wallets w JOIN payees y ON y.id = w.payee""",
    )
    return {row.name: row.minor for row in found}


def ids(database: Database) -> list[UUID]:
    """The payouts that were made of wallets, the first one first."""
    found = rows(database, "SELECT id FROM payouts WHERE wallet IS NOT NULL ORDER BY created_at")
    return [row.id for row in found]
