"""Approved payouts, and a bank that answers each in its own way."""

from typing import Final

from domain.answers import NotSent
from domain.payouts import PROCESS
from tests.builders import seed, states
from tests.kit.world import BATCH, Fakes, Scene, World
from workers.sandbox.faults import Fault


class Approved(World):
    """All are paid in the end: at once, after a lost reply, after a try that never left."""

    job = PROCESS

    def fakes(self) -> Fakes:
        fakes = Fakes()
        fakes.bank.script(None, Fault.DROP, NotSent(reason="no route"))
        return fakes

    def prepare(self, scene: Scene) -> None:
        seed(scene.url, BATCH)

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH}


class Refused(World):
    """One is refused for good, one meets a limit, one a broken server."""

    job = PROCESS
    variant = "refusals"

    def fakes(self) -> Fakes:
        fakes = Fakes()
        fakes.bank.script(Fault.REFUSE, Fault.RATE_LIMIT, Fault.ERROR_BEFORE)
        return fakes

    def prepare(self, scene: Scene) -> None:
        seed(scene.url, BATCH)

    def check(self, scene: Scene) -> None:
        """A refusal that nobody heard is no refusal: the same request, sent again, is paid."""
        found = states(scene.owner)
        assert found.get("COMPLETED", 0) + found.get("FAILED", 0) == BATCH, found
        assert len(scene.bank.transfers) == found["COMPLETED"] >= BATCH - 1


WORLDS: Final = (Approved(), Refused())
