"""Sound books, and a finding about them that is true no more."""

from typing import Final

from db import findings
from domain.findings import Finding, FindingKind
from domain.payouts import PROCESS
from jobs.upkeep.audit import AuditBooks
from tests.builders import rows, seed
from tests.kit.world import BATCH, Scene, World

OVER: Final = Finding(kind=FindingKind.WORK_MISSING, subject="payout gone", detail="was missing")


class Sound(World):
    """An audit goes on from where it was, and heals only at the end of a whole one."""

    job = AuditBooks.name

    def prepare(self, scene: Scene) -> None:
        seed(scene.url, BATCH)
        scene.run(PROCESS)
        with scene.owner.begin() as tx:
            findings.report(tx, [OVER])

    def check(self, scene: Scene) -> None:
        [over] = rows(scene.owner, "SELECT * FROM findings WHERE kind = :kind", kind=OVER.kind)
        assert over.auto_healed
        ended = "SELECT FROM runs WHERE job = :job AND state = 'succeeded'"
        assert rows(scene.owner, ended, job=self.job)


WORLDS: Final = (Sound(),)
