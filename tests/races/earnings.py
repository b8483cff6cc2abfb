"""Races about earnings: two batches, a batch and a dispute, a batch and a share given back."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from db import runs
from db.earnings import deciding
from db.payouts.decide import decide
from db.runs import Request
from db.transitions import Moved
from domain.batching import BATCH, BatchPolicy
from domain.decisions import Decision
from domain.runs import Origin
from jobs.payouts.batch import BatchPayouts
from tests import driving
from tests.builders import rows
from tests.earning import earn, earning, know, payee
from tests.races.explorer import Act, Race
from tests.races.parts import process, works
from tests.races.sides import Side
from tests.races.stage import Stage
from workers.sandbox.faults import Fault

Given = tuple[list[UUID], list[int]]
"""Earnings, and two runs of the batch."""


def owed(stage: Stage) -> Given:
    """Two earnings of one payee, and two runs that would pay them."""
    know(stage.operator, [payee()])
    earn(stage.operator, [earning("E-1"), earning("E-2")])
    made = [asked(stage, f"run {n}") for n in range(2)]
    return [row.id for row in rows(stage.worker, "SELECT id FROM earnings ORDER BY id")], made


def asked(stage: Stage, key: str, period: str = "week") -> int:
    """A run of the batch for a period, put on record; returns its number."""
    wanted = Request(
        job=BATCH,
        queue="money",
        version=1,
        origin=Origin.OPERATOR,
        key=key,
        scope={"period": period},
    )
    with stage.operator.begin() as tx:
        [run] = runs.enqueue(tx, [wanted])
    number: int = run.id
    return number


def batches(number: int) -> Act:
    """A batch goes through all payees, with no lease but what the rows themselves hold."""

    def work(stage: Stage) -> dict[str, int]:
        def page(tx: Any) -> dict[str, int]:  # noqa: ANN401 - a transaction
            tally = BatchPayouts(BatchPolicy()).page(tx, {}, stage.given[1][number]).tally
            return {str(name): count for name, count in tally.items() if count}

        return stage.worker.transact(page)

    return work


def says(say: Callable[[Any, list[UUID]], list[deciding.Decided]]) -> Act:
    """An operator says something of the first earning."""
    return lambda stage: stage.operator.transact(lambda tx: say(tx, stage.given[0][:1]))


def _hold(tx: Any, ids: list[UUID]) -> list[deciding.Decided]:  # noqa: ANN401 - a transaction
    return deciding.hold(tx, ids, actor="asha", why="a complaint")


def _reduce(tx: Any, ids: list[UUID]) -> list[deciding.Decided]:  # noqa: ANN401 - a transaction
    return deciding.reduce(tx, dict.fromkeys(ids, 30_000), actor="asha", why="given back")


held: Final = says(_hold)
"""An operator holds the first earning."""


def one_payout(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 15: one of them made the payout; both earnings are in it and in no other."""
    [made] = rows(stage.worker, "SELECT amount FROM payouts")
    assert made.amount == 200_000
    assert len(rows(stage.worker, "SELECT FROM payout_earnings WHERE live")) == 2
    assert sum((side.result or {}).get("succeeded", 0) for side in sides) == 1


def not_paid_unseen(stage: Stage, _sides: Sequence[Side]) -> None:
    """Held before the batch saw it, or in a payout that knows of the dispute."""
    [earning] = rows(stage.worker, "SELECT state, disputed FROM earnings WHERE disputed")
    [made] = rows(stage.worker, "SELECT amount FROM payouts")
    assert (earning.state, made.amount) in {("HELD", 100_000), ("BATCHED", 200_000)}


def paid_as_owed(stage: Stage, _sides: Sequence[Side]) -> None:
    """The payout is of what was owed when it was made; what was given back since is on its earning."""
    [made] = rows(stage.worker, "SELECT amount FROM payouts")
    [given_back] = rows(stage.worker, "SELECT state FROM earnings WHERE refunded = 30000")
    assert (given_back.state, made.amount) in {("BATCHED", 170_000), ("BATCHED", 200_000)}


def approved(stage: Stage) -> Given:
    """One payout of both earnings, approved and due."""
    given = owed(stage)
    batches(0)(_as(stage, given))
    return given


def refused(stage: Stage) -> Given:
    """The same payout, which the bank refused."""
    given = approved(stage)
    stage.bank.script(Fault.REFUSE)
    driving.drive(stage.worker, process(stage.bank))
    return given


def retries(stage: Stage) -> list[Moved]:
    """An operator lets the payout be tried again."""

    def work(tx: Any) -> list[Moved]:  # noqa: ANN401 - a transaction
        return decide(tx, Decision.RETRY, ids, actor="ben", why="because")

    ids = [row.id for row in rows(stage.worker, "SELECT id FROM payouts")]
    return stage.operator.transact(work)


def _as(stage: Stage, given: Given) -> Stage:
    stage.given = given
    return stage


def sent_or_held(stage: Stage, _sides: Sequence[Side]) -> None:
    """Invariant 16: sent before the dispute was opened, or not sent."""
    [made] = rows(stage.worker, "SELECT state FROM payouts")
    [disputed] = rows(stage.worker, "SELECT state FROM earnings WHERE disputed")
    assert disputed.state == "BATCHED"
    assert (made.state, len(stage.bank.submits)) in {("APPROVED", 0), ("PROCESSING", 1)}


def retried_or_held(stage: Stage, _sides: Sequence[Side]) -> None:
    """Invariant 16: what is approved again holds its earnings, or the dispute came first and it does not."""
    [made] = rows(stage.worker, "SELECT state FROM payouts")
    [disputed] = rows(stage.worker, "SELECT state FROM earnings WHERE disputed")
    assert (made.state, disputed.state) in {("APPROVED", "BATCHED"), ("FAILED", "HELD")}


def sent_whole_or_not(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 14: what was sent was owed; whoever was too late to reduce it is told so."""
    [made] = rows(stage.worker, "SELECT state FROM payouts")
    [said] = sides[1].result
    outcomes = {("FAILED", "moved", 0), ("PROCESSING", "sending", 1)}
    assert (made.state, said.outcome, len(stage.bank.submits)) in outcomes


ALL: Final = (
    Race(
        name="process/hold",
        prepare=approved,
        sides=(works(process, 7), held),
        check=sent_or_held,
    ),
    Race(
        name="process/reduce",
        prepare=approved,
        sides=(works(process, 7), says(_reduce)),
        check=sent_whole_or_not,
    ),
    Race(name="retry/hold", prepare=refused, sides=(retries, held), check=retried_or_held),
    Race(name="batch/batch", prepare=owed, sides=(batches(0), batches(1)), check=one_payout),
    Race(name="batch/hold", prepare=owed, sides=(batches(0), held), check=not_paid_unseen),
    Race(name="batch/reduce", prepare=owed, sides=(batches(0), says(_reduce)), check=paid_as_owed),
)
"""Every race about earnings."""
