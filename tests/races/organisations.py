"""Races of the two senders and the two batches: whoever turns out to be an organisation, and when."""

from collections.abc import Sequence
from typing import Any, Final

from db import runs
from db.runs import Request
from db.tx import Tx
from domain.batching import BATCH, ORG_BATCH, BatchPolicy
from domain.runs import Origin
from domain.tally import Count
from jobs.payouts.batch import BatchPayouts
from jobs.payouts.org_batch import BatchOrganisations
from tests.builders import change, rows
from tests.driving import org_process
from tests.earning import earn, earning, know, payee
from tests.races import parts
from tests.races.explorer import Act, Race
from tests.races.parts import process, works
from tests.races.sides import Side
from tests.races.stage import Stage


def one_each(stage: Stage) -> None:
    """A payout of an organisation and one of a person, due."""
    know(stage.operator, [payee("payee 0", kind="organisation")])
    parts.payouts(stage, 2, payees=2)


def each_by_its_own(stage: Stage, sides: Sequence[Side]) -> None:
    """Each job sent one, and counted one."""
    assert [side.result["succeeded"] for side in sides] == [1, 1]
    assert len(stage.bank.submits) == len(stage.bank.transfers) == 2
    waits = rows(stage.worker, "SELECT job FROM work")
    assert [row.job for row in waits] == ["payouts.follow"] * 2


def owed(stage: Stage) -> list[int]:
    """What is owed to somebody, and a run of each batch."""
    know(stage.operator, [payee()])
    earn(stage.operator, [earning("E-1"), earning("E-2")])
    asked = [
        Request(job=job, queue="money", version=1, origin=Origin.OPERATOR)
        for job in (BATCH, ORG_BATCH)
    ]
    with stage.operator.begin() as tx:
        return [run.id for run in runs.enqueue(tx, asked)]


def batches(job: type[BatchPayouts], number: int) -> Act:
    """A batch goes through its payees."""

    def act(stage: Stage) -> int:
        def page(tx: Tx) -> int:
            return job(BatchPolicy()).page(tx, {}, stage.given[number]).tally[Count.SUCCEEDED]

        return stage.worker.transact(page)

    return act


def is_told(stage: Stage) -> None:
    """An operator tells that the payee is an organisation."""
    change(stage.operator, "UPDATE payees SET kind = 'organisation'")


def paid_at_most_once(stage: Stage, sides: Sequence[Side]) -> None:
    """By one batch or the other, or by the next one; it is sent by the job of its own kind."""
    made: list[Any] = list(rows(stage.worker, "SELECT amount FROM payouts"))
    assert len(made) == sum(side.result for side in sides[:2]) <= 1
    assert all(one.amount == 200_000 for one in made)
    links = rows(stage.worker, "SELECT FROM payout_earnings WHERE live")
    assert len(links) == 2 * len(made)


ALL: Final = (
    Race(
        name="org_process/process",
        prepare=one_each,
        sides=(works(org_process, 1), works(process, 2)),
        check=each_by_its_own,
    ),
    Race(
        name="org_batch/batch/told",
        prepare=owed,
        sides=(batches(BatchPayouts, 0), batches(BatchOrganisations, 1), is_told),
        check=paid_at_most_once,
    ),
)
"""Every race about organisations."""
