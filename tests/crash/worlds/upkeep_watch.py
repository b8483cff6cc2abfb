"""Two things that somebody must be told, and one that is over."""

from typing import Final

from db import findings
from domain.findings import Finding, FindingKind
from jobs.upkeep.watch import Watch
from tests.builders import rows
from tests.kit.world import Scene, World

GRAVE: Final = Finding(kind=FindingKind.BOOKS_DRIFT, subject="cash INR", detail="off by 1")
ODD: Final = Finding(kind=FindingKind.TRANSFER_WITHOUT_PAYOUT, subject="pout_1", detail="unknown")
OVER: Final = Finding(kind=FindingKind.OUTBOX_STALE, subject="queue money", detail="was late")


class ToBeTold(World):
    """An alert may be sent again where its sender died; it is never lost."""

    job = Watch.name

    def prepare(self, scene: Scene) -> None:
        with scene.owner.begin() as tx:
            findings.report(tx, [GRAVE, ODD, OVER])

    def check(self, scene: Scene) -> None:
        told = {document["key"] for document in scene.fakes.alerts.got}
        assert {GRAVE.key, ODD.key} <= told
        assert OVER.key not in told
        found = {row.key: row for row in rows(scene.owner, "SELECT * FROM findings")}
        assert found[GRAVE.key].alerted_at
        assert found[ODD.key].alerted_at
        assert (found[GRAVE.key].resolved_at, found[OVER.key].auto_healed) == (None, True)


WORLDS: Final = (ToBeTold(),)
