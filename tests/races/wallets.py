"""Races about wallets: batches, credits, retries, and a claim while an earlier payout turns out to be paid."""

from collections.abc import Sequence
from typing import Final

from db import runs
from db.payouts.decide import decide
from db.runs import Request
from db.transitions import Moved
from db.tx import Tx
from domain.batching import BATCH, BatchPolicy
from domain.decisions import Decision
from domain.payout_ids import reference
from domain.runs import Origin
from domain.tally import Count
from jobs.payouts.batch import BatchPayouts
from tests import driving
from tests.builders import change, rows
from tests.keeping import credit, fill, held, ids, keep, left
from tests.races.explorer import Act, Race
from tests.races.parts import applies, follow, process, says, works
from tests.races.sides import Side
from tests.races.stage import Stage
from workers.sandbox.faults import Fault

DAILY: Final = "UPDATE wallets SET frequency = 'day'"
MONTHLY: Final = "UPDATE wallets SET frequency = 'month'"


def filled(stage: Stage) -> list[int]:
    """One wallet, and two runs that would pay it out."""
    fill(stage.operator)
    asked = [
        Request(job=BATCH, queue="money", version=1, origin=Origin.OPERATOR, key=f"run {n}")
        for n in range(2)
    ]
    with stage.operator.begin() as tx:
        return [run.id for run in runs.enqueue(tx, asked)]


def batch(stage: Stage, run: int) -> int:
    """Both sources, a page each: wallets come second."""
    cursor: dict[str, object] = {}
    made, goes_on = 0, True
    while goes_on:

        def page(
            tx: Tx, cursor: dict[str, object] = cursor
        ) -> tuple[int, dict[str, object] | None]:
            done = BatchPayouts(BatchPolicy()).page(tx, cursor, run)
            return done.tally[Count.SUCCEEDED], None if done.cursor is None else dict(done.cursor)

        more, place = stage.worker.transact(page)
        made += more
        cursor, goes_on = place or {}, place is not None
    return made


def batches(number: int) -> Act:
    """A batch goes through all wallets, with no lease but what the rows themselves hold."""
    return lambda stage: batch(stage, stage.given[number])


def credits_(stage: Stage) -> None:
    """Somebody is given back something."""
    keep(stage.operator, [credit("W-more", amount_minor=60_000)])


def paid_once(stage: Stage, sides: Sequence[Side]) -> None:
    """One of them made the payout, of all there was; nothing is left for another."""
    assert sum(side.result for side in sides) == 1
    [made] = rows(stage.worker, "SELECT amount FROM payouts")
    assert made.amount == 100_000
    assert left(stage.worker) == {"payee 0": 0}


def paid_or_left(stage: Stage, _sides: Sequence[Side]) -> None:
    """What came while the batch ran is in its payout, or left for the next one."""
    [made] = rows(stage.worker, "SELECT amount FROM payouts")
    assert made.amount + left(stage.worker)["payee 0"] == 160_000
    assert made.amount in {100_000, 160_000}


def failed_and_batched(stage: Stage) -> list[int]:
    """A payout that its bank called failed, and another one of the same money, approved and due."""
    given = filled(stage)
    batch(stage, given[0])
    driving.drive(stage.worker, process(stage.bank))
    [first] = ids(stage.worker)
    stage.bank.settle(reference(first, 1), "failed")
    driving.hasten(stage.worker)
    driving.drive(stage.worker, follow(stage.bank))
    change(stage.operator, MONTHLY)
    batch(stage, given[1])
    says(stage, first, "processed")
    return given


def paid_by_one(stage: Stage, _sides: Sequence[Side]) -> None:
    """Invariant 28: the second is not sent where the first was known of; else the owner owes what came twice."""
    found = {row.state for row in rows(stage.worker, "SELECT state FROM payouts")}
    owes = rows(
        stage.worker,
        """SELECT b.debits - b.credits AS minor FROM accounts a JOIN balances b ON b.account = a.id
           WHERE a.kind = 'payee_receivable' AND b.debits > b.credits""",
    )
    assert found in ({"COMPLETED", "FAILED"}, {"COMPLETED", "PROCESSING"})
    assert [row.minor for row in owes] == ([100_000] if "PROCESSING" in found else [])
    assert held(stage.worker) == {"payee 0": 0}


def refused(stage: Stage) -> list[int]:
    """A payout that the bank refused: its money is in the wallet again."""
    given = filled(stage)
    batch(stage, given[0])
    stage.bank.script(Fault.REFUSE)
    driving.drive(stage.worker, process(stage.bank))
    change(stage.operator, DAILY)
    return given


def retries(stage: Stage) -> list[Moved]:
    """An operator lets it be tried again."""
    wanted = ids(stage.worker)[:1]
    return stage.operator.transact(
        lambda tx: decide(tx, Decision.RETRY, wanted, actor="ben", why="because")
    )


def one_of_both(stage: Stage, sides: Sequence[Side]) -> None:
    """Retried or batched anew, never both: there is money for one."""
    [moved] = sides[0].result
    assert (moved.outcome, sides[1].result) in {("moved", 0), ("short", 1)}
    waits = rows(stage.worker, "SELECT FROM payouts WHERE state = 'APPROVED'")
    assert len(waits) == 1
    assert left(stage.worker) == {"payee 0": 0}


ALL: Final = (
    Race(
        name="batch/batch-of-wallets",
        prepare=filled,
        sides=(batches(0), batches(1)),
        check=paid_once,
    ),
    Race(name="batch/credit", prepare=filled, sides=(batches(0), credits_), check=paid_or_left),
    Race(
        name="process/paid-late-of-wallet",
        prepare=failed_and_batched,
        sides=(works(process, 7), applies(8)),
        check=paid_by_one,
    ),
    Race(
        name="retry/batch-of-wallets",
        prepare=refused,
        sides=(retries, batches(1)),
        check=one_of_both,
    ),
)
"""Every race about wallets."""
