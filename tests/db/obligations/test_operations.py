"""What becomes of an obligation when money comes in, is taken back, or is asked for no more."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest

from db.clock import latest_day
from db.engine import Database
from db.errors import KeyTakenError, RuleBrokenError
from db.obligations.dating import date as dated
from db.obligations.forgive import WAIVED, WRITTEN_OFF, Forgiving
from db.obligations.receive import Unapplied, apply
from db.obligations.reverse import reverse
from domain.errors import BadInputError, NotFoundError, RefusedError
from tests.builders import rows
from tests.mortgages import (
    DAY,
    LINE,
    SETTLED,
    balances,
    bank,
    disburse,
    disperse,
    give_up,
    lend,
    owe,
    pay,
    receipt,
    shares,
    standing,
    take,
)

LATER = date(2026, 3, 24)


def undo(database: Database, *receipts: object) -> None:
    """Receipts were none."""
    ids = [one.id for one in receipts]  # type: ignore[attr-defined]  # receipts, all of them
    database.transact(lambda tx: reverse(tx, ids, actor="asha, ravi", why="it bounced"))


def test_an_obligation_is_owed_from_its_import_on(database: Database) -> None:
    [id_] = owe(database, LINE)
    one = standing(database, id_)
    assert (one.state, one.open, one.job) == ("DUE", 100_000, None)
    assert balances(database) == {"borrower_receivable": 100_000, "control_accrual": 100_000}


def test_it_is_settled_by_what_pays_the_last_of_it_on_that_day(database: Database) -> None:
    [id_] = owe(database, LINE)
    pay(database, id_, 40_000)
    one = standing(database, id_)
    assert (one.state, one.open, one.settled_on) == ("PARTIALLY_SETTLED", 60_000, None)
    assert balances(database)["control_settlement"] == 40_000
    pay(database, id_, 60_000, on=LATER, method="ach")
    one = standing(database, id_)
    assert (one.state, one.open, one.job) == ("SETTLED", 0, "dispersals.create")
    assert (one.settled_on, one.method) == (LATER, "ach")
    assert balances(database) == {"trust_cash": 100_000, "control_allocation": 100_000}


def test_what_is_paid_too_much_is_unapplied_cash_of_its_mortgage(database: Database) -> None:
    [id_] = owe(database, LINE)
    made = [receipt(database, id_, 70_000, on=LATER), receipt(database, id_, 70_000)]
    done = take(database, made)
    assert [(one.receipt, one.applied, one.settled) for one in done] == [
        (made[1].id, 70_000, False),
        (made[0].id, 30_000, True),
    ]
    pay(database, id_, 5)
    assert balances(database) == {
        "trust_cash": 140_005,
        "unapplied_cash": 40_005,
        "control_allocation": 100_000,
    }


def test_unapplied_cash_pays_another_obligation(database: Database) -> None:
    first, second = owe(database, LINE, replace(LINE, external_id="O-2"))
    pay(database, first, 130_000)
    cash = Unapplied(obligation=second, amount=30_000, on=LATER, reference="asha 1")
    database.transact(lambda tx: apply(tx, [cash], run=None, actor="asha"))
    with pytest.raises(KeyTakenError):
        database.transact(lambda tx: apply(tx, [cash], run=None, actor="asha"))
    one = standing(database, second)
    assert (one.state, one.open) == ("PARTIALLY_SETTLED", 70_000)
    assert "unapplied_cash" not in balances(database)
    more = replace(cash, reference="asha 2")
    with pytest.raises(RuleBrokenError) as refused:
        database.transact(lambda tx: apply(tx, [more], run=None, actor="asha"))
    assert refused.value.constraint == "never_below_zero"


def test_what_is_divided_already_takes_no_more_cash(database: Database) -> None:
    """TRAP: what it is given is owed to nobody, and stays in the control of allocation."""
    lend(database, {"A": 6000, "B": 4000})
    divided, other = owe(database, SETTLED, replace(LINE, external_id="O-2"))
    pay(database, divided, 50_000)
    disperse(database)
    pay(database, other, 130_000)
    assert standing(database, divided).state == "DISPERSED"
    before = balances(database)
    cash = Unapplied(obligation=divided, amount=30_000, on=LATER, reference="asha 1")
    with pytest.raises(RefusedError, match="O-1 is DISPERSED: it takes no money any more"):
        database.transact(lambda tx: apply(tx, [cash], run=None, actor="asha"))
    assert balances(database) == before


def test_a_receipt_is_in_the_books_once(database: Database) -> None:
    [id_] = owe(database, LINE)
    made = pay(database, id_, 50_000)
    for again in (made, replace(made, amount=40_000)):
        with pytest.raises(KeyTakenError):
            take(database, [again])
    assert standing(database, id_).open == 50_000
    assert balances(database)["trust_cash"] == 50_000


@pytest.mark.parametrize(
    ("way", "state", "kind"),
    [(WAIVED, "WAIVED", "control_waiver"), (WRITTEN_OFF, "WRITTEN_OFF", "write_off")],
)
def test_what_is_asked_for_no_more_is_owed_no_more(
    database: Database, way: Forgiving, state: str, kind: str
) -> None:
    untouched, part = owe(database, LINE, replace(LINE, external_id="O-2"))
    pay(database, part, 40_000)
    for id_ in (untouched, part):
        give_up(database, id_, way)
    assert standing(database, untouched).state == state
    one = standing(database, part)
    assert (one.state, one.job) == ("SETTLED", "dispersals.create")
    held = balances(database)
    assert (held[kind], held["control_allocation"]) == (160_000, 40_000)
    assert held["control_accrual"] == 160_000
    with pytest.raises(RefusedError, match=f"is {state}: nothing of it is open"):
        give_up(database, untouched, way)


def test_of_what_was_waived_in_part_the_rest_is_divided(database: Database) -> None:
    lend(database, {"A": 1, "B": 1})
    [id_] = owe(database, replace(LINE, fee_rate_ppm=0))
    pay(database, id_, 40_001)
    give_up(database, id_, WAIVED)
    disperse(database)
    assert sorted(shares(database, id_).values()) == [20_000, 20_001]


def test_a_receipt_that_was_none_is_taken_back_with_all_that_came_of_it(
    database: Database,
) -> None:
    lend(database, {"A": 6000, "B": 4000})
    [id_] = owe(database, LINE)
    first, second = pay(database, id_, 40_000), pay(database, id_, 60_000)
    disperse(database)
    undo(database, second)
    one = standing(database, id_)
    assert (one.state, one.open, one.generation) == ("PARTIALLY_SETTLED", 60_000, 2)
    assert (one.settled_on, one.method) == (None, None)
    assert balances(database) == {
        "trust_cash": 40_000,
        "borrower_receivable": 60_000,
        "control_accrual": 60_000,
        "control_settlement": 40_000,
    }
    found = rows(database, "SELECT DISTINCT state FROM dispersals")
    assert [row.state for row in found] == ["CANCELLED"]
    undo(database, first)
    assert standing(database, id_).state == "DUE"
    assert balances(database) == {"borrower_receivable": 100_000, "control_accrual": 100_000}


def test_what_is_paid_again_after_that_is_divided_again(database: Database) -> None:
    lend(database, {"A": 6000, "B": 4000})
    [id_] = owe(database, LINE)
    first = pay(database, id_, 100_000)
    disperse(database)
    undo(database, first)
    pay(database, id_, 100_000)
    disperse(database)
    assert standing(database, id_).state == "DISPERSED"
    assert shares(database, id_) == {"A": 55_000, "B": 36_667}
    assert len(rows(database, "SELECT FROM calculation_runs")) == 2
    assert balances(database) == {
        "trust_cash": 100_000,
        "lender_payable": 91_667,
        "servicing_revenue": 8_333,
    }


def test_a_receipt_is_reversed_once(database: Database) -> None:
    [id_] = owe(database, LINE)
    made = pay(database, id_, 100_000)
    undo(database, made)
    with pytest.raises(NotFoundError, match="is reversed already"):
        undo(database, made)
    with pytest.raises(NotFoundError, match="there is no receipt"):
        database.transact(lambda tx: reverse(tx, [uuid4()], actor="asha, ravi", why="a mistake"))


def test_what_was_sent_is_never_taken_back(database: Database) -> None:
    lend(database, {"A": 6000, "B": 4000})
    [id_] = owe(database, LINE)
    made = pay(database, id_, 100_000)
    disperse(database)
    bank(database, "A", "B")
    disburse(database)
    with pytest.raises(RefusedError, match="is SENDING: its money has left, or may have"):
        undo(database, made)
    assert standing(database, id_).state == "DISPERSED"


def test_a_receipt_whose_excess_was_spent_is_not_taken_back(database: Database) -> None:
    first, second = owe(database, LINE, replace(LINE, external_id="O-2"))
    made = pay(database, first, 130_000)
    cash = Unapplied(obligation=second, amount=30_000, on=LATER, reference="asha 1")
    database.transact(lambda tx: apply(tx, [cash], run=None, actor="asha"))
    with pytest.raises(RuleBrokenError) as refused:
        undo(database, made)
    assert refused.value.constraint == "never_below_zero"
    assert standing(database, first).state == "SETTLED"


def test_a_day_that_nobody_said_is_said_by_a_person(database: Database) -> None:
    lend(database, {"A": 6000, "B": 4000})
    [id_] = owe(database, replace(SETTLED, settled_on=None))
    pay(database, id_, 100_000)
    disperse(database)
    assert standing(database, id_).state == "STALLED"

    def say(day: date) -> None:
        database.transact(lambda tx: dated(tx, id_, day, actor="asha", why="it is on paper"))

    later = database.transact(latest_day) + timedelta(days=1)
    with pytest.raises(BadInputError, match="must not be after today"):
        say(later)
    say(DAY)
    assert standing(database, id_).job == "dispersals.create"
    with pytest.raises(RefusedError, match=f"was settled on {DAY}"):
        say(LATER)
    disperse(database)
    assert shares(database, id_) == {"A": 55_000, "B": 36_667}
    found = rows(database, "SELECT FROM findings WHERE resolved_at IS NULL")
    assert found == []
