"""Receipts are brought in by an operator whose shell dies and who does it again."""

from typing import Final

from tests.builders import rows
from tests.kit.world import BATCH, Scene, World
from tests.mortgages import LINE, balances, bring, lend, owe, stray


class Received(World):
    """Each is received once: one settles its obligation, the others are set apart."""

    job = "import receipts"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        lend(scene.operator, {"A": 6000, "B": 4000})
        owe(scene.operator, LINE)

    def act(self, scene: Scene) -> None:
        paid = stray("RC-paid", reference="O-1", amount_minor=100_000)
        bring(scene.operator, paid, *(stray(f"RC-{n}") for n in range(BATCH)))

    def check(self, scene: Scene) -> None:
        apart = BATCH * 30_000
        held = balances(scene.owner)
        assert (held["suspense"], held["cash_clearing"]) == (apart, apart)
        assert held["trust_cash"] == 100_000
        assert len(rows(scene.owner, "SELECT FROM receipts")) == BATCH + 1
        assert len(rows(scene.owner, "SELECT FROM findings WHERE kind = 'suspense-open'")) == BATCH


WORLDS: Final = (Received(),)
