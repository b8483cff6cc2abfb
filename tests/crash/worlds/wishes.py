"""Wishes that are asked for, decided on, and left until their time is over."""

from typing import Final

from db.bookings.wishes import approve_bookings
from domain.booking_errors import NotOpenError
from domain.bookings import EXPIRE_WISHES
from domain.owners import ConsultantOwner
from tests.booking import consultant, customer, plan, wish
from tests.builders import change, hurry, rows
from tests.kit.world import BATCH, Scene, World


def wished(scene: Scene) -> None:
    """As many wishes as a run settles at once, of one customer for one plan."""
    who, webinar = customer(scene.operator), plan(scene.operator, of=consultant(scene.operator))
    for n in range(BATCH):
        wish(scene.operator, f"k-{n}", of=who, plan=webinar)


def states(scene: Scene) -> list[str]:
    """Where they are, each move of them once."""
    moved = rows(scene.owner, "SELECT FROM moves WHERE kind = 'booking'")
    assert len(moved) == BATCH
    return [row.state for row in rows(scene.owner, "SELECT DISTINCT state FROM bookings")]


class Overdue(World):
    """All end, each once."""

    job = EXPIRE_WISHES

    def prepare(self, scene: Scene) -> None:
        wished(scene)
        change(scene.owner, "UPDATE bookings SET updated_at = updated_at - interval '8 days'")
        hurry(scene.owner, EXPIRE_WISHES)

    def check(self, scene: Scene) -> None:
        assert states(scene) == ["EXPIRED"]


class Asks(World):
    """Whoever asks and is not answered asks again with their key: it is one wish."""

    job = "request_booking"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        customer(scene.operator)
        plan(scene.operator)

    def act(self, scene: Scene) -> None:
        [ids] = rows(scene.database, "SELECT c.id, p.id AS plan FROM customers c, plans p")
        wish(scene.database, of=ids.id, plan=ids.plan)

    def check(self, scene: Scene) -> None:
        assert [row.state for row in rows(scene.owner, "SELECT state FROM bookings")] == ["PENDING"]


class Approves(World):
    """Whoever approves all and is not answered does it again: each is approved, once."""

    job = "approve_bookings"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        wished(scene)

    def act(self, scene: Scene) -> None:
        [host] = rows(scene.database, "SELECT consultant FROM plans")
        ids = [row.id for row in rows(scene.database, "SELECT id FROM bookings")]
        whose = ConsultantOwner(id=host.consultant)
        try:
            scene.database.transact(lambda tx: approve_bookings(tx, whose, ids))
        except NotOpenError:
            return

    def check(self, scene: Scene) -> None:
        assert states(scene) == ["APPROVED"]


WORLDS: Final = (Overdue(), Asks(), Approves())
