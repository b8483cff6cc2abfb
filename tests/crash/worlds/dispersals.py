"""Settled obligations that wait to be divided, or healed: whatever dies, each is divided, stalled or escalated once."""

from dataclasses import replace
from typing import Final

from domain.obligations import CREATE, HEAL, TRIES_MAX
from tests.builders import hurry, rows
from tests.kit.world import BATCH, Scene, World
from tests.mortgages import LINE, balances, disperse, heal, lend, owe, pay


class Settled(World):
    """All are divided but one, in whose mortgage nobody has a position: time passes, and that is escalated."""

    job = CREATE

    def prepare(self, scene: Scene) -> None:
        lend(scene.operator, {"A": 6000, "B": 4000})
        lines = [replace(LINE, external_id=f"O-{n}") for n in range(BATCH)]
        lines[-1] = replace(lines[-1], mortgage="M-2")
        for id_ in owe(scene.operator, *lines):
            pay(scene.operator, id_, 100_000)

    def check(self, scene: Scene) -> None:
        states = rows(scene.owner, "SELECT state FROM obligations ORDER BY external_id")
        assert [row.state for row in states] == ["DISPERSED"] * (BATCH - 1) + ["ESCALATED"]
        assert balances(scene.owner) == {
            "trust_cash": (BATCH - 1) * 100_000,
            "suspense": 100_000,
            "control_allocation": 100_000,
            "lender_payable": (BATCH - 1) * 91_667,
            "servicing_revenue": (BATCH - 1) * 8_333,
        }
        assert len(rows(scene.owner, "SELECT FROM dispersals")) == 2 * (BATCH - 1)


class Stalled(World):
    """One can be divided by now; of another the fourth try fails; of the last the first, and in time the others."""

    job = HEAL

    def prepare(self, scene: Scene) -> None:
        lines = [replace(LINE, external_id=f"O-{n}", mortgage=f"M-{n}") for n in range(BATCH)]
        whole, worn, new = owe(scene.operator, *lines)
        for id_ in (whole, worn):
            pay(scene.operator, id_, 100_000)
        disperse(scene.database)
        heal(scene.database, TRIES_MAX)
        pay(scene.operator, new, 100_000)
        disperse(scene.database)
        lend(scene.operator, {"A": 6000, "B": 4000}, mortgage="M-0")
        hurry(scene.owner, HEAL)

    def check(self, scene: Scene) -> None:
        states = rows(scene.owner, "SELECT state FROM obligations ORDER BY external_id")
        assert [row.state for row in states] == ["DISPERSED", "ESCALATED", "ESCALATED"]
        counted = rows(
            scene.owner,
            """SELECT o.external_id, max(h.number) AS tries, count(*) AS kept
               FROM obligations o JOIN healing_failures h ON h.obligation = o.id GROUP BY 1 ORDER BY 1""",
        )
        tries = {row.external_id: (row.tries, row.kept) for row in counted}
        assert tries == {"O-0": (3, 3), "O-1": (4, 4), "O-2": (4, 4)}
        assert balances(scene.owner) == {
            "trust_cash": 100_000,
            "suspense": 200_000,
            "control_allocation": 200_000,
            "lender_payable": 91_667,
            "servicing_revenue": 8_333,
        }


WORLDS: Final = (Settled(), Stalled())
