"""Wallets are credited by an operator whose shell dies and who does it again."""

from typing import Final

from tests.builders import rows
from tests.keeping import fill, held
from tests.kit.world import BATCH, Scene, World


class Credited(World):
    """Each line is credited once."""

    job = "import wallets"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        """Nothing is there yet."""

    def act(self, scene: Scene) -> None:
        fill(scene.operator, BATCH)

    def check(self, scene: Scene) -> None:
        assert held(scene.owner) == {f"payee {n}": 100_000 for n in range(BATCH)}
        entries = rows(scene.owner, "SELECT FROM entries WHERE type = 'wallet.credited'")
        assert len(entries) == BATCH


WORLDS: Final = (Credited(),)
