"""Earnings of organisations, and of people who are none of its business; the batcher dies, and others go on."""

from typing import Final

from domain.batching import ORG_BATCH
from domain.payouts import ORG_PROCESS
from tests.builders import rows
from tests.earning import earning_states, owe
from tests.kit.world import BATCH, Scene, World


class Batched(World):
    """However often it dies, each organisation is paid once, and nobody else is."""

    job = ORG_BATCH

    def prepare(self, scene: Scene) -> None:
        owe(scene.url, BATCH, payees=BATCH, called="trust", kind="organisation")
        owe(scene.url, BATCH, payees=BATCH)

    def check(self, scene: Scene) -> None:
        scene.run(self.job)
        scene.run(ORG_PROCESS)
        found = earning_states(scene.owner)
        assert found.pop("READY") == BATCH
        assert found in ({"PAID": BATCH}, {"BATCHED": BATCH})
        made = rows(scene.owner, "SELECT payee_kind FROM payouts")
        assert [row.payee_kind for row in made] == ["organisation"] * BATCH
        assert len(scene.bank.transfers) == BATCH


WORLDS: Final = (Batched(),)
