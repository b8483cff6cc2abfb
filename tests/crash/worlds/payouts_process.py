"""Approved payouts, and a bank that answers each in its own way."""

from typing import Final

from domain.answers import NotSent
from domain.batching import BATCH as BATCH_JOB
from domain.payouts import PROCESS
from tests.builders import seed, states
from tests.keeping import fill, held
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


class OfWallets(World):
    """One is refused and back in its wallet, once; the others are paid, once."""

    job = PROCESS
    variant = "wallets"

    def fakes(self) -> Fakes:
        fakes = Fakes()
        fakes.bank.script(Fault.REFUSE, Fault.DROP)
        return fakes

    def prepare(self, scene: Scene) -> None:
        fill(scene.operator, BATCH)
        scene.run(BATCH_JOB)

    def check(self, scene: Scene) -> None:
        """A refusal that nobody heard is no refusal: the same request, sent again, is paid."""
        found = states(scene.owner)
        back = found.get("FAILED", 0)
        assert found["COMPLETED"] + back == BATCH
        assert len(scene.bank.transfers) == found["COMPLETED"] >= BATCH - 1
        assert sorted(held(scene.owner).values()) == [0] * (BATCH - back) + [100_000] * back


WORLDS: Final = (Approved(), Refused(), OfWallets())
