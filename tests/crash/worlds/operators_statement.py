"""A bank's statement is held against the books, and again by whoever was not told what came of it."""

from datetime import timedelta
from typing import Final

from db import installation
from db.statements.account import Account
from domain.payouts import FOLLOW, PROCESS
from jobs.payouts.process import ProcessPayouts
from jobs.payouts.reconcile_statement import Statement, reconcile_statement
from tests.builders import hurry, rows, seed, states
from tests.kit.world import BATCH, Scene, World

DAY: Final = timedelta(days=1)


class Stated(World):
    """Each line is there once, and matched; what no line shows is told once."""

    job = "reconcile statement"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        scene.bank.advance(timedelta(hours=-1))
        seed(scene.url, BATCH)
        scene.run(PROCESS)
        scene.bank.finish()
        hurry(scene.owner)
        scene.run(FOLLOW)
        with scene.operator.begin() as tx:
            installation.bind(tx, scene.bank.provider, scene.bank.account)

    def act(self, scene: Scene) -> None:
        job = scene.jobs[PROCESS]
        assert isinstance(job, ProcessPayouts)
        start, end = scene.bank.now - DAY, scene.bank.now + DAY
        lines = list(job.bank.statement(start, end))[1:]
        statement = Statement(
            whose=Account(provider=job.bank.provider, account=job.bank.account),
            lines=lines,
            start=start,
            end=end,
            place=str,
        )
        reconcile_statement(scene.operator, statement, grace=timedelta(0))

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH}
        found = rows(scene.owner, "SELECT state FROM statement_lines")
        assert [row.state for row in found] == ["matched"] * (BATCH - 1)


WORLDS: Final = (Stated(),)
