"""A file of payouts is brought in, and again by whoever was not told that it was."""

from typing import Final

from tests.builders import lines, states
from tests.kit.world import BATCH, Scene, World
from tests.operating import take


class Brought(World):
    """Each line becomes one payout, approved and paid once."""

    job = "import payouts"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        """Nothing is there yet."""

    def act(self, scene: Scene) -> None:
        take(scene.operator, lines(BATCH), approve=True)

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH}
        assert len(scene.bank.transfers) == BATCH


WORLDS: Final = (Brought(),)
