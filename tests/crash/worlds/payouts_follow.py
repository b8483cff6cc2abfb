"""Accepted payouts whose bank has news: paid, failed, still under way, given back late."""

from typing import Final

from domain.payout_ids import reference
from domain.payouts import FOLLOW, PROCESS
from tests.builders import hurry, seed, states
from tests.kit.world import BATCH, Scene, World


class Accepted(World):
    """One has been paid, one has failed, one is under way."""

    job = FOLLOW

    def prepare(self, scene: Scene) -> None:
        ids = seed(scene.url, BATCH)
        scene.run(PROCESS)
        scene.bank.settle(reference(ids[0], 1), "processed")
        scene.bank.settle(reference(ids[1], 1), "failed")
        hurry(scene.owner)

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH - 1, "FAILED": 1}


class GivenBack(World):
    """All were paid, and one comes back after that."""

    job = FOLLOW
    variant = "late reversal"

    def prepare(self, scene: Scene) -> None:
        ids = seed(scene.url, BATCH)
        scene.run(PROCESS)
        scene.bank.finish()
        hurry(scene.owner)
        scene.run(FOLLOW)
        scene.bank.settle(reference(ids[0], 1), "reversed")
        hurry(scene.owner)

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH - 1, "REVERSED": 1}


WORLDS: Final = (Accepted(), GivenBack())
