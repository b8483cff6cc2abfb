"""A database restored to before its sends: the lists of bank and gateway are compared before anything is claimed."""

from contextlib import suppress
from typing import Final

from db import switches
from db.work import ClaimOrder
from domain.payouts import PROCESS
from domain.switches import RESTORED
from jobs.payouts.process import ProcessPayouts
from jobs.payouts.reconcile_effects import reconcile_effects
from jobs.refunds.reconcile_effects import reconcile_refunds
from tests.builders import rows, seed, states
from tests.kit.world import BATCH, Scene, World
from tests.refunding import ask_for, give_back, paid, refunds


class UndoneError(Exception):
    """What was committed is taken back, as a restore does."""


class Restored(World):
    """What bank and gateway made is adopted, not sent again; then the workers go on."""

    job = "reconcile effects"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        seed(scene.url, BATCH)
        with suppress(UndoneError), scene.database.begin() as tx:
            for item in (
                self._process(scene)
                .claim(tx, ClaimOrder(run=1, limit=BATCH, lease_seconds=15.0))
                .items
            ):
                scene.bank.submit(item.request)
            raise UndoneError
        # Reserved in the backup, and given since.
        one = paid(scene.operator, scene.database, scene.fakes.payments)
        made = give_back(scene.database, one.payment)
        ask_for(scene.fakes.payments, one, made.refund, made.gateway_minor)
        with scene.operator.begin() as tx:
            switches.turn(tx, RESTORED, on=True, who="bursar", why="another server wrote this")

    @staticmethod
    def _process(scene: Scene) -> ProcessPayouts:
        job = scene.jobs[PROCESS]
        assert isinstance(job, ProcessPayouts)
        return job

    def act(self, scene: Scene) -> None:
        reconcile_refunds(scene.operator, scene.fakes.payments, actor="asha")
        reconcile_effects(scene.operator, self._process(scene).bank, actor="asha")

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH}
        assert len(scene.bank.submits) == BATCH, "what the bank had was sent again"
        assert list(refunds(scene.owner).values()) == ["CASCADED"]
        assert len(scene.fakes.payments.refunds) == 1, "what the gateway had was given again"
        assert rows(scene.owner, "SELECT FROM switches WHERE is_on") == []


WORLDS: Final = (Restored(),)
