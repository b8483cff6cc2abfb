"""Payouts under way for two days: one has ended meanwhile, of which a finding tells that is true no more."""

from typing import Final

from domain.payout_ids import reference
from domain.payouts import FOLLOW, PROCESS
from jobs.payouts.check_stuck import CheckStuck
from jobs.payouts.reconcile import ReconcilePayouts
from tests.builders import change, hurry, rows, seed, states
from tests.kit.world import BATCH, Scene, World

TWO_DAYS_AGO: Final = "UPDATE effects SET first_sent_at = first_sent_at - interval '49 h'"
MUCH_LATER: Final = "UPDATE work SET due_at = clock_timestamp() + interval '1 h'"


class UnderWay(World):
    """All are told, and asked about at once."""

    job = CheckStuck.name

    def prepare(self, scene: Scene) -> None:
        ids = seed(scene.url, BATCH)
        scene.run(PROCESS)
        change(scene.owner, TWO_DAYS_AGO)
        scene.run(self.job)
        scene.bank.settle(reference(ids[0], 1), "processed")
        hurry(scene.owner)
        scene.run(FOLLOW)
        change(scene.owner, MUCH_LATER)

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH}
        told = rows(scene.owner, "SELECT seen FROM findings WHERE kind = 'payout-stuck'")
        assert len(told) == BATCH


class Unpaid(World):
    """Of one that is completed its provider's last word is another."""

    job = ReconcilePayouts.name

    def prepare(self, scene: Scene) -> None:
        ids = seed(scene.url, BATCH)
        scene.run(PROCESS)
        change(scene.owner, TWO_DAYS_AGO)
        for word in ("processed", "on_the_moon"):
            scene.bank.settle(reference(ids[0], 1), word)
            hurry(scene.owner)
            scene.run(FOLLOW)
        change(scene.owner, MUCH_LATER)

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH}
        told = rows(scene.owner, "SELECT seen FROM findings WHERE kind = 'payout-status-differs'")
        assert [row.seen >= 1 for row in told] == [True]


WORLDS: Final = (UnderWay(), Unpaid())
