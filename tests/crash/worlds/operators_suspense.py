"""Items of suspense are resolved by an operator whose shell dies and who does it again."""

from typing import Final

from db.suspense.resolve import Resolution, resolve
from domain.errors import RefusedError
from domain.suspense import Way
from tests.builders import rows
from tests.kit.world import BATCH, Scene, World
from tests.mortgages import LINE, balances, bring, id_of, owe, stray


class Matched(World):
    """Each leaves suspense once, for the obligation that it was for."""

    job = "suspense.resolve"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        owe(scene.operator, LINE)
        bring(scene.operator, *(stray(f"RC-{n}") for n in range(BATCH)))

    def act(self, scene: Scene) -> None:
        obligation = id_of(scene.operator, LINE.external_id)
        for row in rows(scene.operator, "SELECT id FROM receipts ORDER BY external_id"):
            asked = Resolution(item=row.id, way=Way.MATCH, amount=30_000, obligation=obligation)
            try:
                scene.operator.transact(
                    lambda tx, asked=asked: resolve(tx, asked, actor="asha, ravi", why="letter 7")  # type: ignore[misc]  # bound now
                )
            except RefusedError:
                continue  # it was done before the shell died

    def check(self, scene: Scene) -> None:
        assert balances(scene.owner) == {
            "trust_cash": BATCH * 30_000,
            "borrower_receivable": 100_000 - BATCH * 30_000,
            "control_accrual": 100_000 - BATCH * 30_000,
            "control_settlement": BATCH * 30_000,
        }
        entries = rows(scene.owner, "SELECT FROM entries WHERE type = 'SUSPENSE_RESOLVED'")
        assert len(entries) == BATCH


WORLDS: Final = (Matched(),)
