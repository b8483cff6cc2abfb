"""Receipts that named nothing and were none: taken back whole, what was matched of them too, where it has not left."""

from dataclasses import replace
from uuid import UUID

import pytest

from db.engine import Database
from db.obligations.reverse import reverse
from db.suspense.items import show
from db.suspense.resolve import Resolution, resolve
from domain.errors import NotFoundError, RefusedError
from domain.suspense import Way
from tests.builders import rows
from tests.mortgages import (
    LINE,
    balances,
    bank,
    bring,
    disburse,
    disperse,
    lend,
    lose,
    owe,
    pay,
    standing,
    stray,
)

FREE = replace(LINE, fee_rate_ppm=0, amount_minor=10_000)


def routed(database: Database) -> UUID:
    """A receipt of 300.00 that names nothing."""
    bring(database, stray(amount_minor=30_000))
    [row] = rows(database, "SELECT id FROM receipts WHERE obligation IS NULL")
    found: UUID = row.id
    return found


def leave(
    database: Database, item: UUID, way: Way, amount: int, obligation: UUID | None = None
) -> None:
    """Two people let so much of it leave suspense."""
    asked = Resolution(item=item, way=way, amount=amount, obligation=obligation)
    database.transact(lambda tx: resolve(tx, asked, actor="asha, ravi", why="letter 7"))


def undo(database: Database, receipt: UUID) -> None:
    """Two people say that it was none."""
    database.transact(lambda tx: reverse(tx, [receipt], actor="asha, ravi", why="it bounced"))


def test_all_that_was_matched_of_it_is_taken_back_and_nothing_stays_in_suspense(
    database: Database,
) -> None:
    """TRAP: a receipt that was matched cannot be taken back by anybody, and its lenders are paid what never came."""
    lend(database, {"A": 1, "B": 1})
    first, second = owe(database, FREE, replace(FREE, external_id="O-2", mortgage="M-2"))
    before = balances(database)
    item = routed(database)
    leave(database, item, Way.MATCH, 4_000, first)
    leave(database, item, Way.MATCH, 7_000, first)  # a thousand of it is unapplied
    disperse(database)
    leave(database, item, Way.MATCH, 2_000, second)
    leave(database, item, Way.MATCH, 3_000, first)  # all of it is
    assert standing(database, first).state == "DISPERSED"
    undo(database, item)
    assert balances(database) == before
    one, other = standing(database, first), standing(database, second)
    assert (one.state, one.open, one.generation, one.settled_on) == ("DUE", 10_000, 2, None)
    assert (other.state, other.open, other.generation) == ("DUE", 10_000, 1)
    found = rows(database, "SELECT DISTINCT state FROM dispersals")
    assert [row.state for row in found] == ["CANCELLED"]
    assert rows(database, "SELECT FROM findings WHERE resolved_at IS NULL") == []
    shown = database.transact(lambda tx: show(tx, item))
    assert shown is not None
    assert (shown.state, shown.open_minor, shown.opened_minor) == ("resolved", 0, 30_000)
    with pytest.raises(RefusedError, match="0 are open"):
        leave(database, item, Way.MATCH, 1, first)
    with pytest.raises(NotFoundError, match="is reversed already"):
        undo(database, item)


def test_what_nobody_has_looked_at_is_taken_back_too(database: Database) -> None:
    undo(database, routed(database))
    assert balances(database) == {}
    assert rows(database, "SELECT FROM findings WHERE resolved_at IS NULL") == []


def test_what_another_receipt_paid_of_the_same_obligation_stays(database: Database) -> None:
    lend(database, {"A": 1})
    [id_] = owe(database, FREE)
    pay(database, id_, 6_000)
    item = routed(database)
    leave(database, item, Way.MATCH, 4_000, id_)
    assert standing(database, id_).state == "SETTLED"
    undo(database, item)
    one = standing(database, id_)
    assert (one.state, one.open, one.job) == ("PARTIALLY_SETTLED", 4_000, None)
    assert balances(database)["trust_cash"] == 6_000


@pytest.mark.parametrize(
    ("way", "word"), [(Way.REFUND, "given back"), (Way.WRITE_OFF, "written off")]
)
def test_of_what_left_suspense_for_good_nothing_is_taken_back(
    database: Database, way: Way, word: str
) -> None:
    [id_] = owe(database, FREE)
    item = routed(database)
    leave(database, item, Way.MATCH, 1_000, id_)
    leave(database, item, way, 1)
    before = balances(database)
    with pytest.raises(RefusedError, match=f"1 minor units were {word} out of suspense"):
        undo(database, item)
    assert balances(database) == before


def test_what_was_sent_of_a_part_is_never_taken_back(database: Database) -> None:
    lend(database, {"A": 1})
    bank(database, "A")
    [id_] = owe(database, FREE)
    item = routed(database)
    leave(database, item, Way.MATCH, 10_000, id_)
    disperse(database)
    disburse(database)
    with pytest.raises(RefusedError, match="is SENDING: its money has left, or may have"):
        undo(database, item)


def test_cash_that_is_on_its_way_to_lenders_is_not_taken_back_for_another_receipt(
    database: Database,
) -> None:
    """TRAP: the payout under way could never be booked, since the cash that it needs is gone."""
    lend(database, {"A": 1})
    bank(database, "A")
    id_, other = owe(database, FREE, replace(FREE, external_id="O-2"))
    pay(database, id_, 10_000)
    disperse(database)
    disburse(database)
    made = pay(database, other, 10_000)
    lose(database, id_, 5_000)
    with pytest.raises(RefusedError, match="of the 15000 it has 10000 are on their way"):
        undo(database, made.id)
    assert standing(database, other).state == "SETTLED"
