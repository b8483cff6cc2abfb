"""Payouts of one payee who owes something back: sent with that kept back, and given back after."""

from typing import Final

from domain.answers import NotSent
from domain.payout_ids import reference
from domain.payouts import FOLLOW, PROCESS
from tests.builders import hurry, rows, states
from tests.keeping import held
from tests.kit.world import Scene, World
from tests.owing import balance, finish, in_debt, next_payout, owing
from workers.sandbox.faults import Fault

PERIODS: Final = ("day", "hour", "month")


def recovered(scene: Scene) -> int:
    """What was kept back, in all."""
    found = rows(
        scene.owner, "SELECT CAST(coalesce(sum(recovered), 0) AS bigint) AS minor FROM payouts"
    )
    minor: int = found[0].minor
    return minor


class Recovered(World):
    """Whoever dies, wherever: one debt is kept back once, of three payouts that may."""

    job = PROCESS
    variant = "recovered"

    def prepare(self, scene: Scene) -> None:
        in_debt(scene)
        for period in PERIODS:
            next_payout(scene, 100_000, period=period)
        scene.bank.script(None, Fault.DROP, NotSent(reason="no route"))

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": 1 + len(PERIODS)}
        assert (recovered(scene), owing(scene.owner)) == (30_000, 0)
        assert balance(scene.owner, "cash") == 370_000


class ComesBack(World):
    """A payout that kept back a debt, and the one that the debt was of, both come back: all of it is owed, once."""

    job = FOLLOW
    variant = "recovered and given back"
    subjects = 2

    def prepare(self, scene: Scene) -> None:
        first = in_debt(scene)
        second = next_payout(scene, 100_000)
        scene.run(PROCESS)
        finish(scene)
        for payout in (first, second):
            scene.bank.settle(reference(payout, 1), "reversed")
        hurry(scene.owner)

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"REVERSED": 2}
        assert balance(scene.owner, "payee_payable") == 170_000
        # Whichever came back first: what was settled for nothing is in the wallet, or owed no more.
        assert sum(held(scene.owner).values()) == owing(scene.owner)


WORLDS: Final = (Recovered(), ComesBack())
