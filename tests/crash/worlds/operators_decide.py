"""Operators decide about sets of payouts, lose their shell, and decide again."""

from typing import Final

from db.payouts.decide import decide
from domain.decisions import TARGETS, Decision
from domain.payouts import PROCESS, PayoutState
from tests.builders import rows, seed, states
from tests.kit.world import BATCH, Scene, World
from workers.sandbox.faults import Fault


class Decided(World):
    """All of the set or none of it; what is approved is paid once, what is withdrawn never."""

    asks_again = True

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.job = f"payouts {decision}"

    def prepare(self, scene: Scene) -> None:
        retried = self.decision is Decision.RETRY
        seed(scene.url, BATCH, approve=retried or self.decision is Decision.CANCEL)
        if retried:
            scene.bank.script(*[Fault.REFUSE] * BATCH)
            scene.run(PROCESS)
            assert states(scene.owner) == {"FAILED": BATCH}

    def act(self, scene: Scene) -> None:
        with scene.operator.begin() as tx:
            ids = [row.id for row in rows(scene.owner, "SELECT id FROM payouts ORDER BY id")]
            decide(tx, self.decision, ids, actor="asha", why="checked")

    def check(self, scene: Scene) -> None:
        """A cancel that came too late, since it was lost at first, cancels nothing."""
        found = states(scene.owner)
        if self.decision is Decision.CANCEL:
            assert found in ({"CANCELLED": BATCH}, {"COMPLETED": BATCH})
        elif TARGETS[self.decision] is PayoutState.APPROVED:
            assert found == {"COMPLETED": BATCH}
        else:
            assert found == {"CANCELLED": BATCH}
        assert len(scene.bank.transfers) == found.get("COMPLETED", 0)


WORLDS: Final = tuple(Decided(decision) for decision in Decision)
