"""Places that were freed, offers that end: whatever dies, each is offered once to whoever is next."""

from datetime import timedelta
from typing import Final

from domain.mails import SEND
from domain.waitlist import EXPIRE, OFFER, OFFERED_FOR, REMIND
from tests.builders import rows
from tests.kit.clock import FrozenClock
from tests.kit.world import BATCH, Scene, World
from tests.lining import full, remove


def freed(scene: Scene) -> None:
    """As many webinars as a run settles at once, a place of each freed, two who wait for it."""
    for _ in range(BATCH):
        there = full(scene.operator, scene.owner, waiting=2)
        remove(scene.operator, there, there.seated[0])


def late(scene: Scene) -> None:
    """The offers of those, an hour before their end."""
    freed(scene)
    scene.run(OFFER)
    scene.run(SEND)
    FrozenClock(scene.owner).forward(OFFERED_FOR - timedelta(hours=1))


def found(scene: Scene) -> dict[str, int]:
    """Entries by state; an offer is one whether or not its reminder was written since."""
    statement = """
        SELECT CASE state WHEN 'REMINDED' THEN 'NOTIFIED' ELSE state END AS state, count(*) AS n
        FROM waitlist GROUP BY 1"""
    return {row.state: row.n for row in rows(scene.owner, statement)}


def mails(scene: Scene, *kinds: str) -> list[int]:
    """How many mails of each kind there are."""
    counted = rows(scene.owner, "SELECT kind, count(*) AS n FROM mails GROUP BY 1")
    named = {row.kind: row.n for row in counted}
    return [named.get(f"waitlist.{kind}", 0) for kind in kinds]


class Freed(World):
    """One offer for each place, to the first of its line."""

    job = OFFER

    def prepare(self, scene: Scene) -> None:
        freed(scene)

    def check(self, scene: Scene) -> None:
        assert found(scene) == {"NOTIFIED": BATCH, "WAITING": BATCH}
        assert mails(scene, "offered", "expired") == [BATCH, 0]
        assert [row.taken for row in rows(scene.owner, "SELECT taken FROM appointments")] == [
            1
        ] * BATCH


class Late(World):
    """Each is reminded once."""

    job = REMIND

    def prepare(self, scene: Scene) -> None:
        late(scene)

    def check(self, scene: Scene) -> None:
        assert found(scene) == {"NOTIFIED": BATCH, "WAITING": BATCH}
        assert mails(scene, "offered", "reminder") == [BATCH, BATCH]


class Over(World):
    """Each ends, and its place is offered once more: a death between the two loses and doubles nothing."""

    job = EXPIRE

    def prepare(self, scene: Scene) -> None:
        late(scene)
        scene.run(REMIND)
        scene.run(SEND)
        FrozenClock(scene.owner).forward(timedelta(hours=2))

    def check(self, scene: Scene) -> None:
        assert found(scene) == {"EXPIRED": BATCH, "NOTIFIED": BATCH}
        assert mails(scene, "offered", "expired") == [2 * BATCH, BATCH]


WORLDS: Final = (Freed(), Late(), Over())
