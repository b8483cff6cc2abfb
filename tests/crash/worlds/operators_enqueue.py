"""A run is asked for under a key, and again by whoever was not told that it is on record."""

from typing import Final

from db import runs
from db.runs import Request
from domain.runs import Origin
from jobs.upkeep.prune import Prune
from tests.builders import rows
from tests.kit.world import Scene, World

ASKED: Final = Request(
    job=Prune.name,
    queue=Prune.queue.value,
    version=Prune.version,
    origin=Origin.OPERATOR,
    key="once",
)


class Enqueued(World):
    """One key is one run, which is executed once."""

    job = "enqueue"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        """Nothing is there yet."""

    def act(self, scene: Scene) -> None:
        scene.operator.transact(lambda tx: runs.enqueue(tx, [ASKED]))

    def check(self, scene: Scene) -> None:
        [run] = rows(scene.owner, "SELECT state, request_key FROM runs WHERE origin = 'operator'")
        assert (run.state, run.request_key) == ("succeeded", "once")


WORLDS: Final = (Enqueued(),)
