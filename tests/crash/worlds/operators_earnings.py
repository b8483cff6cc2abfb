"""Earnings are brought in, and one is reduced, by an operator whose shell dies and who does it again."""

from typing import Final

from db.earnings import deciding
from tests.builders import rows
from tests.earning import owe
from tests.kit.world import BATCH, Scene, World

GIVEN_BACK: Final = 30_000


class Brought(World):
    """Each line becomes one earning, owed once."""

    job = "import earnings"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        """Nothing is there yet."""

    def act(self, scene: Scene) -> None:
        owe(scene.url, BATCH)

    def check(self, scene: Scene) -> None:
        assert len(rows(scene.owner, "SELECT FROM earnings WHERE state = 'READY'")) == BATCH
        entries = rows(scene.owner, "SELECT FROM entries WHERE type = 'earning.imported'")
        assert len(entries) == BATCH


class Reduced(World):
    """However often the total is said, it is taken off once."""

    job = "earnings reduce"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        owe(scene.url, BATCH)

    def act(self, scene: Scene) -> None:
        with scene.operator.begin() as tx:
            totals = {row.id: GIVEN_BACK for row in rows(scene.owner, "SELECT id FROM earnings")}
            deciding.reduce(tx, totals, actor="asha", why="given back")

    def check(self, scene: Scene) -> None:
        assert {row.refunded for row in rows(scene.owner, "SELECT refunded FROM earnings")} == {
            GIVEN_BACK
        }
        entries = rows(scene.owner, "SELECT FROM entries WHERE type = 'earning.reduced'")
        assert len(entries) == BATCH


WORLDS: Final = (Brought(), Reduced())
