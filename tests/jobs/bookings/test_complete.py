"""Appointments that have taken place are over, and what was booked of them is completed."""

from collections.abc import Callable
from uuid import UUID

import pytest

from db.bookings.participants import remove_participant
from domain.appointments import COMPLETE
from domain.owners import ConsultantOwner
from tests.booking import (
    HOUR,
    NOON,
    also,
    appointment,
    begin,
    consultant,
    customer,
    end,
    everything,
    pay,
    plan,
    state,
)
from tests.builders import assert_sound, hurry
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
    end(world.owner, at)
    assert world.run(COMPLETE).tally["succeeded"] == 1
    assert everything(world.owner, kept)["booking"] == "COMPLETED"
    assert everything(world.owner, left)["booking"] == "APPROVED_PENDING_PAYMENT"
    assert pay(world.database, left.payment) == ["orphaned"], "nobody can attend it any more"
    assert_sound(world.owner)
    run_to_quiet()


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_booking_whose_last_lesson_is_given_up_ends_as_the_others_did(
    world: Scene,
    is_kept: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Nothing else would end it: what was kept has ended, and what was to come it has no seat at any more."""
    whose, who = consultant(world.operator), customer(world.operator)
    lessons = plan(world.operator, "class", of=whose)
    first, last = (
        appointment(world.operator, lessons, starts=(NOON + n * 2 * HOUR,)) for n in range(2)
    )
    made = begin(world.database, of=who, plan=lessons, at=first)
    pay(world.database, made.payment)
    also(world.owner, made.booking, last)
    owner = ConsultantOwner(id=whose.id)

    def give_up(at: UUID) -> tuple[UUID, ...]:
        removed = world.database.transact(lambda tx: remove_participant(tx, owner, at, who))
        return removed.bookings

    if is_kept:
        end(world.owner, first)
        assert world.run(COMPLETE).tally["succeeded"] == 1
    else:
        assert give_up(first) == ()
    assert state(world.owner, "bookings", made.booking) == "SCHEDULED"
    assert give_up(last) == (() if is_kept else (made.booking,))
    assert state(world.owner, "bookings", made.booking) == ("COMPLETED" if is_kept else "CANCELLED")
    assert_sound(world.owner)
