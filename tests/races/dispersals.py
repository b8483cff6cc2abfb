"""Races about obligations: what came in is divided once, and never while it is taken back."""

from collections.abc import Sequence
from typing import Final

from db.obligations.receive import receive
from db.obligations.retrying import retry
from db.obligations.reverse import reverse
from db.suspense.resolve import Resolution, resolve
from domain.errors import ExpectedError, NotFoundError, RefusedError
from domain.obligations import CREATE, HEAL, TRIES_MAX
from domain.suspense import Way
from jobs.dispersals.create import CreateDispersals
from jobs.dispersals.heal import HealDispersals
from tests.builders import change, hurry, owner, rows
from tests.mortgages import LINE, balances, bring, disperse, heal, lend, owe, pay, receipt, stray
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


def stalled(stage: Stage) -> object:
    """An obligation whose next failure is its fourth; the receipt that settled it. Nobody lends."""
    [id_] = owe(stage.operator, LINE)
    given = pay(stage.operator, id_, 100_000)
    disperse(stage.worker)
    heal(stage.worker, TRIES_MAX)
    hurry(stage.worker, HEAL)
    return given


def mended(stage: Stage) -> object:
    """The same, when there are lenders by now."""
    given = stalled(stage)
    lend(stage.operator, {"A": 6000, "B": 4000})
    return given


def asked_twice(stage: Stage) -> object:
    """The same, when whoever divides was asked for it as well."""
    given = mended(stage)
    change(
        stage.worker, "INSERT INTO work (job, subject) SELECT :job, id FROM obligations", job=CREATE
    )
    return given


def tries_again(stage: Stage) -> str:
    """A person says that what stood in its way was put right."""
    [row] = rows(stage.operator, "SELECT id FROM obligations")
    stage.operator.transact(lambda tx: retry(tx, row.id, actor="asha", why="put right"))
    return "tried"


def taken_out(stage: Stage) -> str:
    """Two people take its money out of suspense, for its lenders."""
    [row] = rows(stage.operator, "SELECT id FROM obligations")
    asked = Resolution(item=row.id, way=Way.MATCH)
    stage.operator.transact(lambda tx: resolve(tx, asked, actor="asha, ravi", why="put right"))
    return "tried"


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


def brings(stage: Stage) -> int:
    """A file that names the obligation and something nobody knows."""
    paid = stray("RC-1", reference="O-1")
    return bring(stage.operator, paid, stray("RC-2")).created


def divided_beside(stage: Stage, sides: Sequence[Side]) -> None:
    """What came in before is divided, now or by the next; what comes in after it was settled is unapplied."""
    assert sides[1].result == 2
    held = balances(stage.worker)
    divided = {"lender_payable": 91_667, "servicing_revenue": 8_333}
    assert held == {
        "trust_cash": 130_000,
        "unapplied_cash": 30_000,
        "suspense": 30_000,
        "cash_clearing": 30_000,
        **(divided if sides[0].result else {"control_allocation": 100_000}),
    }


def divided_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 61: one of them divides it, the other finds nothing to do."""
    assert sorted(side.result for side in sides) == [0, 1]
    held = balances(stage.worker)
    assert held == {"trust_cash": 100_000, "lender_payable": 91_667, "servicing_revenue": 8_333}


def escalated_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 62: of the fourth failure there is one, and of its entry."""
    assert [side.error for side in sides] == [None, None]
    found = rows(stage.worker, "SELECT number FROM healing_failures ORDER BY number")
    assert [row.number for row in found] == [1, 2, 3, 4]
    assert len(rows(stage.worker, "SELECT FROM entries WHERE type = 'SUSPENSE_ESCALATED'")) == 1
    assert balances(stage.worker) == {"suspense": 100_000, "control_allocation": 100_000}


def escalated_or_divided(stage: Stage, sides: Sequence[Side]) -> None:
    """Whoever came first decides: it is in suspense, or waits to be divided; never both."""
    [row] = rows(stage.worker, "SELECT state FROM obligations")
    waits = [one.job for one in rows(stage.worker, "SELECT job FROM work")]
    if sides[1].result == "tried":
        assert (row.state, waits) == ("SETTLED", [CREATE])
        assert balances(stage.worker) == {"trust_cash": 100_000, "control_allocation": 100_000}
    else:
        assert (row.state, waits) == ("ESCALATED", [])
        assert isinstance(sides[1].error, RefusedError)
        assert balances(stage.worker) == {"suspense": 100_000, "control_allocation": 100_000}


def escalated_and_out_again(stage: Stage, sides: Sequence[Side]) -> None:
    """Two people take out what is in suspense, and nothing before it is there."""
    [row] = rows(stage.worker, "SELECT state FROM obligations")
    where = "suspense" if row.state == "ESCALATED" else "trust_cash"
    assert balances(stage.worker) == {where: 100_000, "control_allocation": 100_000}
    if sides[1].result == "tried":
        assert row.state == "SETTLED"
    else:
        # Held by whoever was refused, healing passed it over: it waits for the next run.
        assert isinstance(sides[1].error, ExpectedError)
        assert row.state in {"ESCALATED", "STALLED"}


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
        name="heal/heal",
        prepare=mended,
        sides=(does(HealDispersals(), 7), does(HealDispersals(), 8)),
        check=divided_once,
    ),
    Race(
        name="heal/heal to suspense",
        prepare=stalled,
        sides=(does(HealDispersals(), 7), does(HealDispersals(), 8)),
        check=escalated_once,
    ),
    Race(
        name="disperse/heal",
        prepare=asked_twice,
        sides=(does(CreateDispersals(), 7), does(HealDispersals(), 8)),
        check=divided_once,
    ),
    Race(
        name="heal/retry",
        prepare=stalled,
        sides=(does(HealDispersals(), 7), tries_again),
        check=escalated_or_divided,
        errors=(RefusedError,),
    ),
    Race(
        name="heal/resolve",
        prepare=stalled,
        sides=(does(HealDispersals(), 7), taken_out),
        check=escalated_and_out_again,
        errors=(RefusedError, NotFoundError),
    ),
    Race(
        name="heal/reverse",
        prepare=mended,
        sides=(does(HealDispersals(), 7), bounces),
        check=divided_or_due,
    ),
    Race(
        name="disperse/reverse",
        prepare=settled,
        sides=(does(CreateDispersals(), 7), bounces),
        check=divided_or_due,
    ),
    Race(
        name="receipts/disperse",
        prepare=settled,
        sides=(does(CreateDispersals(), 7), brings),
        check=divided_beside,
    ),
    Race(
        name="receive/receive",
        prepare=due,
        sides=(comes_in(0), comes_in(1)),
        check=received_once,
    ),
)
