"""Entries that are to be sealed: whatever dies, each is in one seal, and the seals are a chain."""

from dataclasses import replace
from typing import Final

from jobs.upkeep.seal import SealBooks
from tests.builders import rows
from tests.kit.world import BATCH, Scene, World
from tests.mortgages import LINE, owe


class Unsealed(World):
    """All are sealed once."""

    job = SealBooks.name

    def prepare(self, scene: Scene) -> None:
        owe(scene.operator, *(replace(LINE, external_id=f"O-{n}") for n in range(BATCH)))

    def check(self, scene: Scene) -> None:
        [row] = rows(scene.owner, "SELECT sum(entries) AS entries FROM ledger_seals")
        assert row.entries == BATCH


WORLDS: Final = (Unsealed(),)
