"""Races about notices: a later one is never sent while an earlier one of its payout is still to be heard."""

from collections.abc import Sequence
from typing import Final

from db import switches
from domain.notices import Delivered, Delivery
from domain.payout_ids import reference
from domain.switches import NOTICES
from jobs.notices.deliver import DeliverNotices
from tests import driving
from tests.builders import hurry, rows
from tests.races import parts
from tests.races.explorer import Act, Race
from tests.races.parts import follow, process, works
from tests.races.sides import Side, step
from tests.races.stage import Stage


class Strict:
    """Implements `Events`: hears everything, and nothing out of its order."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def deliver(self, event_id: str, body: str) -> Delivery:
        """Take one event down."""
        step("events: deliver")
        early = rows(
            self.stage.worker,
            """SELECT e.sequence FROM notices n JOIN notices e ON e.subject = n.subject AND e.sequence < n.sequence
               WHERE n.id = CAST(:id AS uuid) AND e.state = 'PENDING'""",
            id=event_id,
        )
        assert early == [], "it was sent before the one that happened before it"
        return Delivered()


def delivers(run: int) -> Act:
    """A worker that delivers: one notice after the other, as long as any is due."""

    def act(stage: Stage) -> None:
        deliver = works(
            lambda _bank: DeliverNotices(Strict(stage), call_seconds_max=1.0), run, limit=1
        )
        while deliver(stage):
            pass

    return act


def paid(stage: Stage) -> None:
    """One payout that was paid, its notice waiting; its bank is about to give the money back."""
    with stage.operator.begin() as tx:
        switches.turn(tx, NOTICES, on=True, who="asha", why="x")
    [id_] = parts.payouts(stage, 1)
    driving.drive(stage.worker, process(stage.bank))
    stage.bank.finish()
    hurry(stage.worker)
    driving.drive(stage.worker, follow(stage.bank))
    stage.bank.settle(reference(id_, 1), "reversed")
    hurry(stage.worker)


def given_back(stage: Stage) -> None:
    """The same, after it was given back: two notices wait."""
    paid(stage)
    driving.drive(stage.worker, follow(stage.bank))
    hurry(stage.worker)


def hears_and_delivers(stage: Stage) -> None:
    """A worker that hears of the reversal, and then delivers."""
    works(follow, 2)(stage)
    delivers(3)(stage)


def told(stage: Stage, _sides: Sequence[Side]) -> None:
    """Both are written, in their order; what is not delivered waits for its turn."""
    found = rows(stage.worker, "SELECT kind, state FROM notices ORDER BY sequence")
    assert [row.kind for row in found] == ["payout.completed", "payout.reversed"]
    assert found[0].state == "DELIVERED"


ALL: Final = (
    Race(
        name="deliver/deliver",
        prepare=given_back,
        sides=(delivers(1), delivers(2)),
        check=told,
    ),
    Race(
        name="deliver/reversal",
        prepare=paid,
        sides=(delivers(1), hears_and_delivers),
        check=told,
    ),
)
