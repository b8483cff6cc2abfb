"""Payouts that were paid and then given back: two notices each, the first of which are due first, and heard first."""

from typing import Final

from db import switches
from domain.notices import DELIVER
from domain.payout_ids import reference
from domain.payouts import FOLLOW, PROCESS
from domain.switches import NOTICES
from tests.builders import change, hurry, rows, seed
from tests.fakes.events import Trouble
from tests.kit.world import BATCH, Fakes, Scene, World


class PaidAndGivenBack(World):
    """Every notice is heard, none before the one that happened before it."""

    job = DELIVER

    def prepare(self, scene: Scene) -> None:
        with scene.operator.begin() as tx:
            switches.turn(tx, NOTICES, on=True, who="asha", why="x")
        ids = seed(scene.url, BATCH)
        scene.run(PROCESS)
        scene.bank.finish()
        hurry(scene.owner)
        scene.run(FOLLOW)
        for id_ in ids:
            scene.bank.settle(reference(id_, 1), "reversed")
        hurry(scene.owner)
        scene.run(FOLLOW)
        change(
            scene.owner,
            """UPDATE work w SET due_at = clock_timestamp() - make_interval(secs => 9 - n.sequence)
               FROM notices n WHERE w.subject = n.id""",
        )

    def check(self, scene: Scene) -> None:
        found = rows(scene.owner, "SELECT id, state FROM notices ORDER BY subject, sequence")
        assert {row.state for row in found} == {"DELIVERED"}
        heard = [event for event, _ in scene.fakes.events.taken]
        places = [heard.index(str(row.id)) for row in found]
        assert all(places[n] < places[n + 1] for n in range(0, len(places), 2))
        assert len(places) == 2 * BATCH


class AnswersLost(PaidAndGivenBack):
    """The same, where the first answers are lost: repeats come under the id they had."""

    variant = "answers lost"

    def fakes(self) -> Fakes:
        made = Fakes()
        made.events.script(Trouble.LOST, Trouble.ERROR)
        return made

    def check(self, scene: Scene) -> None:
        super().check(scene)
        bodies = scene.fakes.events.taken
        assert len({event for event, _ in bodies}) == len(set(bodies))


WORLDS: Final = (PaidAndGivenBack(), AnswersLost())
