"""Appointments that have taken place are over, and what was booked of them is completed."""

from collections.abc import Callable

from domain.appointments import COMPLETE
from tests.booking import (
    appointment,
    begin,
    customer,
    everything,
    pay,
    plan,
)
from tests.builders import assert_sound, change, hurry
from tests.kit.clock import FrozenClock
from tests.kit.world import Scene


def test_an_appointment_that_has_taken_place_completes_what_was_booked_of_it(
    world: Scene, clock: FrozenClock, run_to_quiet: Callable[[], int]
) -> None:
    who, offer = customer(world.operator), plan(world.operator)
    at = appointment(world.operator, offer, capacity=9)
    kept = begin(world.database, of=who, plan=offer, at=at)
    left = begin(world.database, of=customer(world.operator), plan=offer, at=at)
    pay(world.database, kept.payment)
    hurry(world.owner, COMPLETE)
    assert world.run(COMPLETE).tally["succeeded"] == 0, "it has not begun"
    change(
        world.owner,
        "UPDATE appointments SET starts_at = starts_at - interval '9 years', ends_at = ends_at - interval '9 years'",
    )
    hurry(world.owner, COMPLETE)
    assert world.run(COMPLETE).tally["succeeded"] == 1
    assert everything(world.owner, kept)["booking"] == "COMPLETED"
    assert everything(world.owner, left)["booking"] == "APPROVED_PENDING_PAYMENT"
    assert pay(world.database, left.payment) == ["orphaned"], "nobody can attend it any more"
    assert_sound(world.owner)
    run_to_quiet()
