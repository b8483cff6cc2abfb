"""Lenders' shares whose hold is over: whatever dies, each is paid once and booked once, and follows its payout."""

from dataclasses import replace
from typing import Final

from domain.dispersals import DISBURSE
from domain.payouts import PROCESS
from tests.builders import rows
from tests.kit.world import BATCH, Scene, World
from tests.mortgages import LINE, balances, bank, disburse, disperse, lend, owe, pay


class Due(World):
    """Shares whose hold is over: whatever dies, each is paid and booked once, but those of who has no account."""

    job = DISBURSE

    def prepare(self, scene: Scene) -> None:
        lend(scene.operator, {"A": 6000, "B": 4000})
        bank(scene.operator, "A")
        for id_ in owe(
            scene.operator, *(replace(LINE, external_id=f"O-{n}") for n in range(BATCH))
        ):
            pay(scene.operator, id_, 100_000)
        disperse(scene.database)

    def check(self, scene: Scene) -> None:
        states = rows(scene.owner, "SELECT DISTINCT amount, state FROM dispersals ORDER BY amount")
        assert [(row.amount, row.state) for row in states] == [
            (36_667, "PENDING"),
            (55_000, "DISBURSED"),
        ]
        assert len(scene.bank.transfers) == BATCH
        assert balances(scene.owner) == {
            "trust_cash": BATCH * 45_000,
            "lender_payable": BATCH * 36_667,
            "servicing_revenue": BATCH * 8_333,
        }


class Sending(World):
    """Payouts of shares that wait to be sent: their dispersals follow them, in the same transaction or not at all."""

    job = PROCESS
    variant = "dispersals"

    def prepare(self, scene: Scene) -> None:
        Due().prepare(scene)
        disburse(scene.database)

    def check(self, scene: Scene) -> None:
        Due().check(scene)


WORLDS: Final = (Due(), Sending())
