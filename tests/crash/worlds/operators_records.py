"""A whole marketplace is brought in by an operator whose shell dies and who does it again."""

from typing import Final

from tests.booking import state
from tests.bringing import AS_OF, booked, bring, lined, offers
from tests.builders import rows
from tests.kit.world import BATCH, Scene, World


class MovedIn(World):
    """Each customer, plan, appointment, booking and entry is there once; what was over there is none of ours."""

    job = "import bookings"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        """Nothing is there yet."""

    def act(self, scene: Scene) -> None:
        offers(scene.operator, capacity=BATCH)
        taken = [booked(f"B-{n}") for n in range(BATCH)]
        private = booked("B-TALK", plan="TALK", starts_at="2031-03-06T12:00:00Z")
        bring(scene.operator, "bookings", *taken, private, as_of=AS_OF)
        credit = {"external_id": "K-1", "customer": "C-1", "amount": "5.00", "currency": "INR"}
        bring(scene.operator, "credits", credit)
        bring(scene.operator, "waitlist", lined(), lined("W-2", "CANCELLED"), as_of=AS_OF)

    def check(self, scene: Scene) -> None:
        [at] = rows(scene.owner, "SELECT id, taken FROM appointments WHERE external_id = 'TEA-1'")
        assert (at.taken, state(scene.owner, "appointments", at.id)) == (BATCH, "PLANNED")
        seats = rows(scene.owner, "SELECT FROM seats WHERE state = 'CONFIRMED'")
        assert len(seats) == BATCH + 1
        assert len(rows(scene.owner, "SELECT FROM entries WHERE type = 'credit.granted'")) == 1
        line = rows(scene.owner, "SELECT state FROM waitlist ORDER BY external_id")
        assert [row.state for row in line] == ["WAITING", "CANCELLED"]


WORLDS: Final = (MovedIn(),)
