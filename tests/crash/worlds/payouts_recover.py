"""Payouts in doubt: one was paid, the others never reached the bank."""

from datetime import timedelta
from typing import Final

from db import findings
from db.findings import Filter
from domain.findings import FindingKind
from domain.payouts import PROCESS, RECOVER
from tests.builders import change, hurry, seed, states
from tests.kit.world import BATCH, Scene, World
from workers.sandbox.faults import Fault


class InDoubt(World):
    """Found, or sent again under the same key, whose answer may be lost again."""

    job = RECOVER

    def prepare(self, scene: Scene) -> None:
        seed(scene.url, BATCH)
        scene.bank.script(Fault.DROP, Fault.RESET, Fault.RESET, None, Fault.DROP)
        scene.run(PROCESS)
        hurry(scene.owner)

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH}


class TooLate(InDoubt):
    """The key may be forgotten: what is found is adopted, what is not waits for two people."""

    variant = "past the key"
    parks = True

    def prepare(self, scene: Scene) -> None:
        super().prepare(scene)
        scene.bank.advance(timedelta(days=8))
        change(scene.owner, "UPDATE effects SET first_sent_at = first_sent_at - interval '8 days'")

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": 1, "PROCESSING": BATCH - 1}
        assert len(scene.bank.submits) == BATCH, "nothing is ever sent past its key"
        with scene.owner.begin() as tx:
            told = findings.listing(tx, Filter(kind=FindingKind.PAYOUT_UNKNOWN_TOO_LONG))
        assert len(told) == BATCH - 1


WORLDS: Final = (InDoubt(), TooLate())
