"""Races about a restored database: what its provider has is adopted while people go on."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from db import reconcile
from db.payouts.claim import start_processing
from db.reconcile import Matches
from db.work import ClaimOrder
from jobs.payouts import provider
from tests.builders import hurry, rows
from tests.races.earnings import Given, batches, held, owed
from tests.races.explorer import Race
from tests.races.sides import Side
from tests.races.stage import Stage


class _LostError(Exception):
    """What was committed after the backup."""


def forgotten(stage: Stage) -> Given:
    """A payout of two earnings that its provider has paid, and whose claim came after the backup."""
    stage.given = given = owed(stage)
    batches(0)(stage)
    hurry(stage.worker)
    order = ClaimOrder(run=1, limit=1, lease_seconds=15.0)
    try:
        with stage.worker.begin() as tx:
            [sending] = start_processing(tx, provider.of(stage.bank, None, None), order).items
            raise _LostError
    except _LostError:
        stage.bank.submit(sending.request)
    stage.bank.finish()
    return given


def compares(stage: Stage) -> Matches:
    """An operator holds the provider's list against what is here."""
    compare = partial(
        reconcile.compare,
        provider=provider.of(stage.bank, None, None),
        transfers=[one.payout for one in stage.bank.transfers],
        actor="asha",
    )
    return stage.operator.transact(compare)


def adopted(stage: Stage, _sides: Sequence[Side]) -> None:
    """It is where its provider has it, and is never sent again; whoever holds an earning of it was heard."""
    [payout] = rows(stage.worker, "SELECT state FROM payouts")
    assert payout.state == "COMPLETED"
    assert len(rows(stage.worker, "SELECT FROM earnings WHERE state = 'PAID'")) == 2
    assert len(rows(stage.worker, "SELECT FROM earnings WHERE held")) == 1
    assert len(stage.bank.submits) == 1


ALL: Final = (
    Race(
        name="restored/hold",
        prepare=forgotten,
        sides=(compares, held),
        check=adopted,
    ),
)
