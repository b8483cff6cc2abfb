"""Payees who can be paid and what they earned, for tests of whatever is between earnings and payouts."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from db import installation
from db.earnings import imports
from db.engine import Database
from db.importing.order import Imported, Lines
from db.payees.imports import PayeeLines, take_over
from domain.earning_lines import EarningLine
from domain.earnings import EarningKind
from domain.payee_lines import PayeeLine
from tests.operating import opened, query

LONG_AGO = datetime(2026, 1, 5, tzinfo=UTC)


def earning(external_id: str = "E-1", **changes: object) -> EarningLine:
    """One valid line; `changes` by field."""
    fields: dict[str, object] = {
        "external_id": external_id,
        "payee": "payee 0",
        "kind": EarningKind.CLASS,
        "gross_minor": 1_000_000,
        "amount_minor": 100_000,
        "currency": "INR",
        "earned_at": LONG_AGO,
    }
    return EarningLine(**{**fields, **changes})  # type: ignore[arg-type]  # fields by name


def payee(name: str = "payee 0", **changes: object) -> PayeeLine:
    """One payee who can be paid; `changes` by field."""
    fields: dict[str, object] = {
        "name": name,
        "fund_account_id": f"fa_{name.replace(' ', '_')}",
        "kind": "person",
        "tax_class": "individual",
        "has_pan": True,
        "resident": True,
        "verified": True,
        "default": True,
    }
    return PayeeLine(**{**fields, **changes})  # type: ignore[arg-type]  # fields by name


def know(database: Database, lines: Sequence[PayeeLine]) -> None:
    """Import payees in a transaction of their own."""
    order = PayeeLines(lines=lines, file="payees.csv", rows=range(2, len(lines) + 2))
    with database.begin(60) as tx:
        take_over(tx, installation.get(tx).id, order)


def earn(database: Database, lines: Sequence[EarningLine], *, partial: bool = False) -> Imported:
    """Import earnings in a transaction of their own."""
    order = Lines(lines=lines, file="earnings.csv", partial=partial)
    with database.begin(60) as tx:
        return imports.take_over(tx, installation.get(tx).id, order, actor="asha")


def owe(
    url: str,
    count: int,
    *,
    payees: int = 3,
    each: int = 100_000,
    called: str = "payee",
    kind: str = "person",
) -> list[UUID]:
    """Let `count` earnings be owed to payees who can be paid; the ids of all, in the order of their files."""
    with opened(url) as operator:
        know(operator, [payee(f"{called} {n}", kind=kind) for n in range(payees)])
        ids = "E" if called == "payee" else f"E-{called}"
        lines = [
            earning(
                f"{ids}-{n:06d}",
                payee=f"{called} {n % payees}",
                amount_minor=each,
                gross_minor=2 * each,
            )
            for n in range(count)
        ]
        earn(operator, lines)
        return [row.id for row in query(operator, "SELECT id FROM earnings ORDER BY external_id")]


def earning_states(database: Database) -> dict[str, int]:
    """Earnings by state."""
    rows = query(database, "SELECT state, count(*) AS n FROM earnings GROUP BY state")
    return {row.state: row.n for row in rows}
