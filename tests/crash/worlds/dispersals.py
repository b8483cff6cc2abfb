"""Settled obligations that wait to be divided: whatever dies, each is divided once, or stalled."""

from dataclasses import replace
from typing import Final

from domain.obligations import CREATE
from tests.builders import rows
from tests.kit.world import BATCH, Scene, World
from tests.mortgages import LINE, balances, lend, owe, pay


class Settled(World):
    """All are divided but one, in whose mortgage nobody has a position."""

    job = CREATE

    def prepare(self, scene: Scene) -> None:
        lend(scene.operator, {"A": 6000, "B": 4000})
        lines = [replace(LINE, external_id=f"O-{n}") for n in range(BATCH)]
        lines[-1] = replace(lines[-1], mortgage="M-2")
        for id_ in owe(scene.operator, *lines):
            pay(scene.operator, id_, 100_000)

    def check(self, scene: Scene) -> None:
        states = rows(scene.owner, "SELECT state FROM obligations ORDER BY external_id")
        assert [row.state for row in states] == ["DISPERSED"] * (BATCH - 1) + ["STALLED"]
        assert balances(scene.owner) == {
            "trust_cash": BATCH * 100_000,
            "control_allocation": 100_000,
            "lender_payable": (BATCH - 1) * 91_667,
            "servicing_revenue": (BATCH - 1) * 8_333,
        }
        assert len(rows(scene.owner, "SELECT FROM dispersals")) == 2 * (BATCH - 1)


WORLDS: Final = (Settled(),)
