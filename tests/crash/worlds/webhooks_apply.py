"""Events that wait: paid, given back after it, refused, and one about a payout that had failed."""

from typing import Final

from domain.inbox import APPLY
from domain.payouts import FOLLOW, PROCESS
from tests.builders import hurry, rows, seed, states
from tests.hearing import about, event, receive
from tests.kit.world import BATCH, Scene, World


class Told(World):
    """Each payout comes to where its bank says, and each event is marked, together."""

    job = APPLY

    def prepare(self, scene: Scene) -> None:
        paid, back, failed = seed(scene.url, BATCH)
        scene.run(PROCESS)
        words = [(back, "reversed"), (paid, "processed"), (failed, "failed"), (back, "processed")]
        for id_, word in words[:3]:
            scene.bank.settle(str(id_), word)
        receive(scene.owner, [event(about(scene.bank, id_), word) for id_, word in words])

    def passes(self, scene: Scene) -> None:
        """The bank has said everything."""

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": 1, "REVERSED": 1, "FAILED": 1}
        assert _inbox(scene) == ["APPLIED"]


class PaidLate(World):
    """What had failed was paid after all: its money is taken out of what is owed, once."""

    job = APPLY
    variant = "paid late"

    def prepare(self, scene: Scene) -> None:
        ids = seed(scene.url, BATCH)
        scene.run(PROCESS)
        for id_ in ids:
            scene.bank.settle(str(id_), "failed")
        hurry(scene.owner)
        scene.run(FOLLOW)
        for id_ in ids:
            scene.bank.settle(str(id_), "processed")
        receive(scene.owner, [event(about(scene.bank, id_), "processed") for id_ in ids])

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH}
        assert _inbox(scene) == ["APPLIED"]


def _inbox(scene: Scene) -> list[str]:
    return [row.state for row in rows(scene.owner, "SELECT DISTINCT state FROM inbox")]


WORLDS: Final = (Told(), PaidLate())
