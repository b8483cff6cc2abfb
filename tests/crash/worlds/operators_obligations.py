"""Stalled obligations that a person tries again, whose shell dies and who does it again."""

from dataclasses import replace
from typing import Final

from db.obligations.resolving import check_mended
from db.obligations.retrying import retry
from domain.errors import RefusedError
from tests.builders import rows
from tests.kit.world import BATCH, Scene, World
from tests.mortgages import LINE, balances, disperse, lend, owe, pay


class Retried(World):
    """Each is divided once, and none is escalated: what stood in its way was put right."""

    job = "obligations.retry"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        lines = [replace(LINE, external_id=f"O-{n}") for n in range(BATCH)]
        for id_ in owe(scene.operator, *lines):
            pay(scene.operator, id_, 100_000)
        disperse(scene.database)
        lend(scene.operator, {"A": 6000, "B": 4000})

    def act(self, scene: Scene) -> None:
        for row in rows(scene.operator, "SELECT id FROM obligations ORDER BY external_id"):
            try:
                with scene.operator.begin() as tx:
                    check_mended(tx, row.id)
                    retry(tx, row.id, actor="asha", why="positions came")
            except RefusedError:
                continue  # it was done before the shell died

    def check(self, scene: Scene) -> None:
        states = rows(scene.owner, "SELECT DISTINCT state FROM obligations")
        assert [row.state for row in states] == ["DISPERSED"]
        assert balances(scene.owner) == {
            "trust_cash": BATCH * 100_000,
            "lender_payable": BATCH * 91_667,
            "servicing_revenue": BATCH * 8_333,
        }
        told = rows(
            scene.owner,
            "SELECT resolved_at IS NULL AS open FROM findings WHERE kind LIKE 'dispersal-%'",
        )
        assert [row.open for row in told] == [False] * BATCH


WORLDS: Final = (Retried(),)
