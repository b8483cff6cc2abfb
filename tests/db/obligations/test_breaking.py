"""Whatever write of an operation breaks, nothing of it stays; and it is done once that is mended."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import pytest

from db.engine import Database
from db.errors import RuleBrokenError
from db.obligations.forgive import WAIVED, WRITTEN_OFF
from db.obligations.receive import Unapplied, apply
from db.obligations.reverse import reverse
from domain.obligations import TRIES_MAX
from domain.suspense import Way
from tests.builders import rows
from tests.db.obligations.test_suspense import escalated, home, leave, routed
from tests.db.test_ledger import broken
from tests.mortgages import (
    DAY,
    LINE,
    balances,
    bring,
    disperse,
    give_up,
    heal,
    lend,
    owe,
    pay,
    standing,
    stray,
)

BOOKS: Final = ("entries", "postings", "balances", "ledger_totals")
MOVED: Final = ("obligations", "moves", "work", *BOOKS)
TABLES: Final = (
    *("mortgages", "obligations", "receipts", "calculation_runs", "dispersals", "healing_failures"),
    *("moves", "work", "findings", *BOOKS, "accounts"),
)
"""All that an operation may write."""

Act = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: brings the database to where it has something to do, and returns what does it; what it writes."""

    prepared: Callable[[Database], Act]
    writes: tuple[str, ...]


def accrues(database: Database) -> Act:
    return lambda: owe(database, LINE)


def comes_in(database: Database) -> Act:
    owe(database, LINE)
    paid = stray("RC-1", reference="O-1", amount_minor=100_000)
    return lambda: bring(database, paid, stray("RC-2"))


def applies(database: Database) -> Act:
    first, second = owe(database, LINE, replace(LINE, external_id="O-2"))
    pay(database, first, 200_000)
    cash = Unapplied(obligation=second, amount=100_000, on=DAY, reference="letter 7")
    return lambda: database.transact(lambda tx: apply(tx, [cash], run=None, actor="asha"))


def waives(database: Database) -> Act:
    [id_] = owe(database, LINE)
    pay(database, id_, 40_000)
    return lambda: give_up(database, id_, WAIVED)


def writes_off(database: Database) -> Act:
    [id_] = owe(database, LINE)
    pay(database, id_, 40_000)
    return lambda: give_up(database, id_, WRITTEN_OFF)


def takes_back(database: Database) -> Act:
    lend(database, {"A": 6000, "B": 4000})
    [id_] = owe(database, LINE)
    made = pay(database, id_, 100_000)
    disperse(database)
    return lambda: database.transact(
        lambda tx: reverse(tx, [made.id], actor="asha, ravi", why="it bounced")
    )


def matches_a_receipt(database: Database) -> Act:
    item, obligation = routed(database), home(database, "receipt")
    return lambda: leave(database, item, Way.MATCH, None, obligation)


def matches_an_escalated(database: Database) -> Act:
    item = escalated(database)
    return lambda: leave(database, item, Way.MATCH)


def gives_back(database: Database) -> Act:
    item = escalated(database)
    return lambda: leave(database, item, Way.REFUND)


OPERATIONS: Final = {
    "accrue": Operation(accrues, ("mortgages", "obligations", *BOOKS)),
    "receive": Operation(comes_in, ("receipts", "findings", *MOVED)),
    "apply": Operation(applies, MOVED),
    "waive": Operation(waives, MOVED),
    "write off": Operation(writes_off, MOVED),
    "reverse": Operation(takes_back, ("receipts", "dispersals", "obligations", "moves", *BOOKS)),
    "match a receipt": Operation(matches_a_receipt, MOVED),
    "match an obligation": Operation(matches_an_escalated, MOVED),
    "give back": Operation(gives_back, ("obligations", "moves", *BOOKS)),
}


def stored(database: Database) -> list[object]:
    """All rows that an operation may touch, but for accounts: they stay open."""
    tables = [name for name in TABLES if name != "accounts"]
    return [rows(database, f"SELECT x FROM {t} x ORDER BY CAST(x AS text)") for t in tables]  # noqa: S608  own names


@pytest.mark.parametrize(
    ("name", "table"), [(name, t) for name, one in OPERATIONS.items() for t in one.writes]
)
def test_an_operation_and_its_books_are_committed_together_or_not_at_all(
    database: Database, superuser_url: str, name: str, table: str
) -> None:
    """Invariant 50: business row, entry, balance, totals and history vanish together, whichever of them breaks."""
    act = OPERATIONS[name].prepared(database)
    before, held = stored(database), balances(database)
    with broken(superuser_url, table, "AFTER"), pytest.raises(RuleBrokenError, match="on purpose"):
        act()
    assert stored(database) == before
    act()
    assert stored(database) != before
    assert balances(database) != held


@pytest.mark.parametrize("table", BOOKS)
def test_what_cannot_be_posted_is_not_escalated(
    database: Database, superuser_url: str, table: str
) -> None:
    """Invariant 50: where the books refuse to set it apart, its state stays, and that it failed is counted."""
    [id_] = owe(database, LINE)
    pay(database, id_, 100_000)
    disperse(database)
    heal(database, TRIES_MAX)
    held = balances(database)
    with broken(superuser_url, table, "AFTER"):
        heal(database)
    assert standing(database, id_).state == "STALLED"
    assert balances(database) == held
    assert rows(database, "SELECT FROM entries WHERE type = 'SUSPENSE_ESCALATED'") == []
    heal(database)
    assert standing(database, id_).state == "ESCALATED"
    assert balances(database)["suspense"] == 100_000
