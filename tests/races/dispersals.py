"""Races about obligations: what came in is divided once, and never while it is taken back."""

from collections.abc import Sequence
from typing import Final

from db.obligations.receive import receive
from db.obligations.reverse import reverse
from jobs.dispersals.create import CreateDispersals
from tests.builders import owner, rows
from tests.mortgages import LINE, balances, lend, owe, pay, receipt
from tests.races.explorer import Act, Race
from tests.races.sides import Side
from tests.races.stage import Stage
from tests.races.waitlist import does


def settled(stage: Stage) -> object:
    """An obligation that waits to be divided; the receipt that settled it."""
    lend(stage.operator, {"A": 6000, "B": 4000})
    [id_] = owe(stage.operator, LINE)
    return pay(stage.operator, id_, 100_000)


def due(stage: Stage) -> object:
    """An obligation of which nothing was received; two receipts for all of it."""
    lend(stage.operator, {"A": 6000, "B": 4000})
    [id_] = owe(stage.operator, LINE)
    with owner(stage.url) as database:
        return [receipt(database, id_, 100_000) for _ in range(2)]


def bounces(stage: Stage) -> str:
    """The receipt was none."""
    stage.operator.transact(
        lambda tx: reverse(tx, [stage.given.id], actor="asha, ravi", why="it bounced")
    )
    return "reversed"


def comes_in(number: int) -> Act:
    """One of the receipts is taken in."""

    def act(stage: Stage) -> int:
        [done] = stage.operator.transact(
            lambda tx: receive(tx, [stage.given[number]], run=None, actor="test")
        )
        return done.applied

    return act


def divided_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 61: one of them divides it, the other finds nothing to do."""
    assert sorted(side.result for side in sides) == [0, 1]
    held = balances(stage.worker)
    assert held == {"trust_cash": 100_000, "lender_payable": 91_667, "servicing_revenue": 8_333}


def divided_or_due(stage: Stage, sides: Sequence[Side]) -> None:
    """It is due again, and nothing of a dispersal is left but what was cancelled."""
    assert sides[1].result == "reversed"
    [row] = rows(stage.worker, "SELECT state, generation FROM obligations")
    assert (row.state, row.generation) == ("DUE", 2)
    assert balances(stage.worker) == {"borrower_receivable": 100_000, "control_accrual": 100_000}
    found = rows(stage.worker, "SELECT DISTINCT state FROM dispersals")
    assert [one.state for one in found] in ([], ["CANCELLED"])


def received_once(stage: Stage, sides: Sequence[Side]) -> None:
    """The first pays it, the second is unapplied cash of its mortgage."""
    assert sorted(side.result for side in sides) == [0, 100_000]
    held = balances(stage.worker)
    assert (held["trust_cash"], held["unapplied_cash"]) == (200_000, 100_000)


ALL: Final = (
    Race(
        name="disperse/disperse",
        prepare=settled,
        sides=(does(CreateDispersals(), 7), does(CreateDispersals(), 8)),
        check=divided_once,
    ),
    Race(
        name="disperse/reverse",
        prepare=settled,
        sides=(does(CreateDispersals(), 7), bounces),
        check=divided_or_due,
    ),
    Race(
        name="receive/receive",
        prepare=due,
        sides=(comes_in(0), comes_in(1)),
        check=received_once,
    ),
)
