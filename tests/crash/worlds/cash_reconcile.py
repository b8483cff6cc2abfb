"""Cash that is not where it should be: whatever dies, each thing is told once, and nothing is moved."""

from typing import Final

from db.cash.checks import CHECKS
from domain.findings import FindingKind
from jobs.cash.reconcile import ReconcileCash
from tests.builders import rows
from tests.kit.world import BATCH, Scene, World
from tests.mortgages import LINE, balances, bring, lend, owe, pay, stray


class Astray(World):
    """Receipts in suspense, and a mortgage whose borrower paid too much."""

    job = ReconcileCash.name

    def prepare(self, scene: Scene) -> None:
        lend(scene.operator, {"A": 6000, "B": 4000})
        [id_] = owe(scene.operator, LINE)
        pay(scene.operator, id_, 100_500)
        bring(scene.operator, *(stray(f"RC-{n}") for n in range(BATCH)))

    def check(self, scene: Scene) -> None:
        found = rows(
            scene.owner, "SELECT kind FROM findings WHERE resolved_at IS NULL ORDER BY kind"
        )
        mine = {check.promise.finding for check in CHECKS} | {FindingKind.CASH_CHECK_FAILED}
        assert [row.kind for row in found if row.kind in mine] == ["suspense-open"] * BATCH + [
            "unapplied-cash"
        ]
        assert balances(scene.owner)["suspense"] == BATCH * 30_000


WORLDS: Final = (Astray(),)
