"""Approved payouts of organisations, and a bank that answers each in its own way."""

from typing import Final

from domain.answers import NotSent
from domain.payouts import ORG_PROCESS
from tests.builders import rows, seed, states
from tests.earning import know, payee
from tests.kit.world import BATCH, Fakes, Scene, World
from workers.sandbox.faults import Fault


class Approved(World):
    """All are paid in the end, each sent by no job but its own."""

    job = ORG_PROCESS

    def fakes(self) -> Fakes:
        fakes = Fakes()
        fakes.bank.script(None, Fault.DROP, NotSent(reason="no route"))
        return fakes

    def prepare(self, scene: Scene) -> None:
        know(scene.operator, [payee(f"payee {n}", kind="organisation") for n in range(BATCH)])
        seed(scene.url, BATCH, payees=BATCH)

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH}
        assert len(scene.bank.transfers) == BATCH
        assert rows(scene.owner, "SELECT FROM runs WHERE job = 'payouts.process'") == []


WORLDS: Final = (Approved(),)
