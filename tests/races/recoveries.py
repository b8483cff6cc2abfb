"""Races about what payees owe: one debt, and whoever keeps it back, adds to it or settles it at the same time."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from db.earnings import deciding
from domain.batching import BatchPolicy
from domain.payout_ids import reference
from jobs.payouts.batch import BatchPayouts
from tests import driving
from tests.builders import hurry, rows
from tests.earning import earn, earning, know, payee
from tests.keeping import held
from tests.owing import give_back, owing
from tests.races import earnings
from tests.races.earnings import Given, batches
from tests.races.explorer import Race
from tests.races.parts import follow, process, works
from tests.races.sides import Side
from tests.races.stage import Stage

DEBT: Final = 30_000


def paid(stage: Stage) -> UUID:
    """One payout that was paid, of a payee who earns more since; returns it."""
    know(stage.operator, [payee()])
    earn(stage.operator, [earning("E-0")])
    made = batch(stage, "week")
    driving.drive(stage.worker, process(stage.bank))
    stage.bank.finish()
    hurry(stage.worker)
    driving.drive(stage.worker, follow(stage.bank))
    return made


def batch(stage: Stage, period: str) -> UUID:
    """A batch makes one more payout of what is owed, in a period of its own; returns it."""
    before = {row.id for row in rows(stage.worker, "SELECT id FROM payouts")}
    run = earnings.asked(stage, period, period)
    stage.worker.transact(lambda tx: BatchPayouts(BatchPolicy()).page(tx, {}, run))
    [new] = {row.id for row in rows(stage.worker, "SELECT id FROM payouts")} - before
    made: UUID = new
    return made


def in_debt(stage: Stage) -> UUID:
    """One payout that was paid, and part of it is owed back."""
    made = paid(stage)
    give_back(stage.operator, "E-0", DEBT)
    return made


def two(stage: Stage) -> UUID:
    """Two more of that payee, due."""
    made = in_debt(stage)
    for period in ("day", "hour"):
        earn(stage.operator, [earning(f"E-{period}")])
        batch(stage, period)
    return made


def one_and_back(stage: Stage) -> UUID:
    """One more, due; and the bank has given the first one back."""
    made = in_debt(stage)
    earn(stage.operator, [earning("E-1")])
    batch(stage, "day")
    stage.bank.settle(reference(made, 1), "reversed")
    hurry(stage.worker)
    return made


def one_more(stage: Stage) -> UUID:
    """One more, due, and nothing is owed back yet."""
    made = paid(stage)
    earn(stage.operator, [earning("E-1")])
    batch(stage, "day")
    return made


def earned(stage: Stage) -> Given:
    """Something more is earned, and a run would pay it; nothing is owed back yet."""
    paid(stage)
    earn(stage.operator, [earning("E-1")])
    return [], [earnings.asked(stage, "later", "day")]


def reduces(stage: Stage, minor: int = DEBT) -> list[deciding.Decided]:
    """An operator says that part of what was paid was given back."""
    [row] = rows(stage.worker, "SELECT id FROM earnings WHERE external_id = 'E-0'")
    return stage.operator.transact(
        lambda tx: deciding.reduce(tx, {row.id: minor}, actor="asha", why="asked back")
    )


def recovered(stage: Stage) -> int:
    """What was kept back, in all."""
    return sum(row.recovered for row in rows(stage.worker, "SELECT recovered FROM payouts"))


def once(stage: Stage, _sides: Sequence[Side]) -> None:
    """Both were sent, and the debt was kept back of one of them."""
    assert (recovered(stage), owing(stage.worker)) == (DEBT, 0)
    assert len(stage.bank.submits) == 3


def settled_once(stage: Stage, _sides: Sequence[Side]) -> None:
    """Kept back before the payment came back: then it is in the wallet; or not kept back at all."""
    assert owing(stage.worker) == 0
    assert sum(held(stage.worker).values()) == recovered(stage)


def kept_or_owed(stage: Stage, _sides: Sequence[Side]) -> None:
    """The claim saw the debt, or the next one will."""
    assert recovered(stage) + owing(stage.worker) == DEBT


def made_or_not(stage: Stage, _sides: Sequence[Side]) -> None:
    """The batch saw the debt, and made nothing; or the claim will see it."""
    made = rows(stage.worker, "SELECT amount FROM payouts WHERE state = 'APPROVED'")
    assert [row.amount for row in made] in ([], [100_000])
    assert owing(stage.worker) == 60_000


ALL: Final = (
    Race(
        name="recover-debt/recover-debt",
        prepare=two,
        sides=(works(process, 1, limit=1), works(process, 2, limit=1)),
        check=once,
    ),
    Race(
        name="recover-debt/reverse",
        prepare=one_and_back,
        sides=(works(process, 1), works(follow, 2)),
        check=settled_once,
    ),
    Race(
        name="recover-debt/reduce",
        prepare=one_more,
        sides=(works(process, 1), reduces),
        check=kept_or_owed,
    ),
    Race(
        name="batch/owe",
        prepare=earned,
        sides=(batches(0), lambda stage: reduces(stage, 60_000)),
        check=made_or_not,
    ),
)
"""Every race about debts."""
