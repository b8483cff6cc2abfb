"""Payouts that nobody can look up any more: two people settle them, on their own word or the bank's."""

from contextlib import suppress
from typing import Final

from db import proposals
from db.payouts import resolve
from domain.answers import Found
from domain.errors import RefusedError
from domain.payout_ids import reference
from domain.payouts import PROCESS, RECOVER
from jobs.payouts.recover import RecoverPayouts
from tests.builders import change, hurry, rows, seed, states
from tests.kit.world import Scene, World
from workers.cli.actions import Agreed, action_named
from workers.sandbox.faults import Fault

ACTION: Final = "payout.resolve"
LONG_AGO: Final = "UPDATE effects SET first_sent_at = first_sent_at - interval '8 days'"


class ByTwo(World):
    """Proposed by one, approved by another: declared unpaid, once."""

    job = "propose payout.resolve"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        seed(scene.url, 1)
        scene.bank.script(Fault.RESET)
        scene.run(PROCESS)
        change(scene.owner, LONG_AGO)
        hurry(scene.owner)
        scene.run(RECOVER)
        assert rows(scene.owner, "SELECT FROM work WHERE parked_reason IS NOT NULL")

    def act(self, scene: Scene) -> None:
        [payout] = rows(scene.owner, "SELECT id, state FROM payouts")
        if payout.state == "FAILED":
            return
        with suppress(RefusedError), scene.operator.begin() as tx:  # it is proposed already
            details = {"result": "unpaid"}
            proposals.propose(tx, ACTION, str(payout.id), details, by="asha", why="no trace")
        [waiting] = rows(scene.operator, "SELECT id FROM proposals WHERE approved_at IS NULL")
        with scene.operator.begin() as tx:
            row = proposals.approve(tx, waiting.id, by="ravi")
            agreed = Agreed(
                subject=row.subject,
                details=row.arguments,
                both="asha, ravi",
                why=row.why,
                proposed_at=row.proposed_at,
            )
            outcome = action_named(ACTION).run(tx, agreed)
            proposals.finish(tx, waiting.id, outcome)

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"FAILED": 1}
        assert scene.bank.transfers == []
        [proposal] = rows(scene.owner, "SELECT * FROM proposals")
        assert proposal.outcome


class ByTheBank(World):
    """The bank has it after all: adopted on its word."""

    job = "payouts resolve"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        seed(scene.url, 1)
        scene.bank.script(Fault.DROP)
        scene.run(PROCESS)
        change(scene.owner, "UPDATE work SET due_at = 'infinity', parked_reason = 'looked at'")
        scene.bank.finish()

    def act(self, scene: Scene) -> None:
        [payout] = rows(scene.owner, "SELECT id, state FROM payouts")
        if payout.state == "COMPLETED":
            return
        job = scene.jobs[RECOVER]
        assert isinstance(job, RecoverPayouts)
        found = job.bank.find(reference(payout.id, 1))
        assert isinstance(found, Found)
        with scene.operator.begin() as tx:
            resolve.adopt(tx, payout.id, found.payouts[0], actor="asha")

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": 1}


WORLDS: Final = (ByTwo(), ByTheBank())
