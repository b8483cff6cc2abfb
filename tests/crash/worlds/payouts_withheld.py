"""Payouts of one payee who crosses the limit of the year: sent with tax withheld, paid, given back."""

from typing import Final

from domain.answers import NotSent
from domain.payout_ids import reference
from domain.payouts import FOLLOW, PROCESS
from tests.builders import hurry, rows, states
from tests.earned import over_the_limit
from tests.kit.world import BATCH, Fakes, Scene, World
from workers.sandbox.faults import Fault

OVER: Final = 25_150_000
"""What three of them come to above the limit."""


def taxed(scene: Scene, where: str = "true") -> tuple[int, int]:
    """What was taxed of the payouts there are, and what their payee's year says of it."""
    found = rows(
        scene.owner,
        f"""SELECT (SELECT CAST(coalesce(sum(tds_base), 0) AS bigint) FROM payouts WHERE {where}) AS payouts,
                   (SELECT CAST(sum(base) AS bigint) FROM tax_years) AS years""",  # noqa: S608  words of this module
    )
    return (found[0].payouts, found[0].years)


class Withheld(World):
    """Whoever dies, wherever: one exemption is given once, and each is sent what was computed for it first."""

    job = PROCESS
    variant = "withheld"

    def fakes(self) -> Fakes:
        fakes = Fakes()
        fakes.bank.script(None, Fault.DROP, NotSent(reason="no route"))
        return fakes

    def prepare(self, scene: Scene) -> None:
        over_the_limit(scene.operator, ["A", "B", "C"])

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH}
        assert taxed(scene) == (OVER, OVER)
        kept = rows(
            scene.owner, "SELECT count(*) AS n, CAST(sum(tax) AS bigint) AS tax FROM tax_records"
        )
        assert (kept[0].n, kept[0].tax) == (BATCH, OVER // 1000)


class Returned(World):
    """All were paid with tax withheld, and one comes back: its tax is given back with it, once."""

    job = FOLLOW
    variant = "withheld and given back"

    def prepare(self, scene: Scene) -> None:
        ids = over_the_limit(scene.operator, ["A", "B", "C"])
        scene.run(PROCESS)
        scene.bank.finish()
        hurry(scene.owner)
        scene.run(FOLLOW)
        scene.bank.settle(reference(ids[0], 1), "reversed")
        hurry(scene.owner)

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH - 1, "REVERSED": 1}
        kept = rows(scene.owner, "SELECT is_reversal FROM tax_records")
        assert sorted(row.is_reversal for row in kept) == [False] * BATCH + [True]
        still, year = taxed(scene, "state = 'COMPLETED'")
        assert still == year


WORLDS: Final = (Withheld(), Returned())
