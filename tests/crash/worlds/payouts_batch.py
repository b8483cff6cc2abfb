"""Earnings of several payees are batched, one payee a page, and paid; the batcher dies, and others go on."""

from typing import Final

from db.earnings import source
from domain.batching import BATCH as BATCH_JOB
from domain.payouts import PROCESS
from tests.builders import rows
from tests.earning import earning_states, owe
from tests.keeping import fill, held
from tests.kit.world import BATCH, Scene, World

LINKS: Final = (
    "SELECT count(*) AS n, count(DISTINCT earning) AS earnings FROM payout_earnings WHERE live"
)


class Batched(World):
    """However often it dies, each payee is paid once, by one payout, of all that is owed."""

    job = BATCH_JOB

    def prepare(self, scene: Scene) -> None:
        owe(scene.url, 2 * BATCH, payees=BATCH)

    def act(self, scene: Scene) -> None:
        page, source.PAGE = source.PAGE, 2  # type: ignore[misc]  # a page for each payee
        try:
            super().act(scene)
        finally:
            source.PAGE = page  # type: ignore[misc]  # as it was

    def check(self, scene: Scene) -> None:
        scene.run(self.job)
        scene.run(PROCESS)
        assert earning_states(scene.owner) in ({"PAID": 2 * BATCH}, {"BATCHED": 2 * BATCH})
        [links] = rows(scene.owner, LINKS)
        assert (links.n, links.earnings) == (2 * BATCH, 2 * BATCH)
        assert len(rows(scene.owner, "SELECT FROM payouts")) == BATCH
        assert len(scene.bank.transfers) == BATCH


class OfWallets(World):
    """However often it dies, each wallet is paid out once, and holds nothing afterwards."""

    job = BATCH_JOB
    variant = "wallets"

    def prepare(self, scene: Scene) -> None:
        fill(scene.operator, BATCH)

    def check(self, scene: Scene) -> None:
        scene.run(self.job)
        scene.run(PROCESS)
        assert len(rows(scene.owner, "SELECT FROM payouts WHERE wallet IS NOT NULL")) == BATCH
        assert len(scene.bank.transfers) == BATCH
        assert set(held(scene.owner).values()) == {0}


WORLDS: Final = (Batched(), OfWallets())
