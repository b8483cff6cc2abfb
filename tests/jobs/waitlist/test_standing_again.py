"""Offers whose checkout the gateway refused, and offers of which nobody is told."""

from datetime import timedelta
from uuid import UUID

import pytest

from db.bookings.expire import fail
from db.waitlist.line import join
from domain.owners import CustomerOwner
from domain.waitlist import EXPIRE, OFFER, OFFERED_FOR, REMIND
from tests.booking import pay
from tests.builders import assert_sound, change, rows
from tests.jobs.waitlist.test_waitlist import offered, sold_out
from tests.kit.clock import FrozenClock
from tests.kit.world import Scene
from tests.lining import line, remove, taken, takes

HOUR = timedelta(hours=1)
WATCH = "upkeep.watch"


def open_findings(world: Scene) -> list[str]:
    """Kinds of what a person is to look at of the waitlist."""
    statement = "SELECT kind FROM findings WHERE resolved_at IS NULL AND kind LIKE 'offer-%'"
    return [row.kind for row in rows(world.owner, statement)]


def refuse(world: Scene, payment: UUID) -> None:
    """The gateway refuses a checkout for good."""
    world.database.transact(lambda tx: fail(tx, [payment], run=None, actor="gateway"))


def test_an_offer_stands_again_where_the_gateway_refuses_the_checkout_of_it(world: Scene) -> None:
    """TRAP: who took their place is not forgotten for what the gateway said, and the place goes to nobody else."""
    there = offered(world)
    made = takes(world.database, there, there.waiting[0])
    refuse(world, made.payment)
    assert line(world.owner, there) == ["NOTIFIED", "WAITING"]
    assert taken(world.owner, there) == ("PLANNED", 1, 1)
    assert_sound(world.owner)
    again = takes(world.database, there, there.waiting[0], "again")
    pay(world.database, again.payment)
    assert line(world.owner, there) == ["BOOKED", "WAITING"]
    assert_sound(world.owner)


def test_an_offer_whose_time_was_over_goes_to_the_next_when_its_checkout_is_refused(
    world: Scene, clock: FrozenClock
) -> None:
    there = offered(world)
    made = takes(world.database, there, there.waiting[0])
    clock.forward(OFFERED_FOR + HOUR)
    refuse(world, made.payment)
    world.run(REMIND)
    world.run(EXPIRE)
    world.run(OFFER)
    assert line(world.owner, there) == ["EXPIRED", "NOTIFIED"]
    assert_sound(world.owner)


def test_who_waits_anew_is_not_offered_twice(world: Scene) -> None:
    there = offered(world)
    made = takes(world.database, there, there.waiting[0])
    owner = CustomerOwner(id=there.customers[there.waiting[0]])
    world.database.transact(lambda tx: join(tx, owner, there.appointment))
    refuse(world, made.payment)
    assert line(world.owner, there) == ["BOOKED", "WAITING"]
    assert taken(world.owner, there) == ("FREED", 0, 1)
    assert_sound(world.owner)


@pytest.mark.parametrize("is_on", [True, False])
def test_an_offer_that_tells_nobody_is_a_finding(
    world: Scene,
    is_on: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """TRAP: a place is held for whoever does not know of it, and lost to both."""
    there = sold_out(world, waiting=1)
    if is_on:
        change(world.owner, "UPDATE customers SET email = NULL")
    else:
        change(world.owner, "UPDATE switches SET is_on = false WHERE name = 'mails'")
    remove(world.database, there, there.seated[0])
    world.run(OFFER)
    [found] = rows(world.owner, "SELECT kind, subject, detail FROM findings")
    assert (found.kind, found.subject) == ("offer-tells-nobody", f"appointment {there.appointment}")
    assert f"1 offers of it tell nobody, {int(is_on)} for want of an address" in found.detail
    assert_sound(world.owner)
    world.run(WATCH)
    assert open_findings(world) == ["offer-tells-nobody"]
    change(world.owner, "UPDATE customers SET email = 'mira@example.org'")
    change(world.owner, "UPDATE switches SET is_on = true WHERE name = 'mails'")
    world.run(WATCH)
    assert open_findings(world) == []
    [told] = rows(world.owner, "SELECT kind, state FROM mails WHERE kind LIKE 'waitlist.%'")
    assert (told.kind, told.state) == ("waitlist.offered", "QUEUED")
    assert_sound(world.owner)


def test_an_offer_that_told_nobody_and_ended_is_no_finding_any_more(world: Scene) -> None:
    there = sold_out(world, waiting=1)
    change(world.owner, "UPDATE customers SET email = NULL")
    remove(world.database, there, there.seated[0])
    world.run(OFFER)
    takes(world.database, there, there.waiting[0])
    world.run(WATCH)
    assert open_findings(world) == []
