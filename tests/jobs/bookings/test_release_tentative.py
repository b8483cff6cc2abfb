"""Seats that nobody paid for are released a day after they were taken, and never one that a payment keeps."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from db.bookings.facts import lock
from db.bookings.stale import Released, release_tentative
from db.engine import Database
from db.transitions import hold
from db.waitlist.line import join
from db.work import ClaimOrder
from domain.appointments import RELEASE_TENTATIVE, TENTATIVE_FOR
from domain.owners import CustomerOwner
from tests.booking import (
    abandon,
    appointment,
    begin,
    customer,
    everything,
    plan,
    state,
)
from tests.builders import WAITS_FOR_A_LOCK, assert_sound, change, hurry, rows
from tests.jobs.bookings.seating import seated
from tests.kit.world import Scene
from tests.waiting import eventually


def age(database: Database) -> None:
    """Let seats be a day old, as time would."""
    change(
        database,
        "UPDATE seats SET updated_at = clock_timestamp() - CAST(:age AS interval)",
        age=TENTATIVE_FOR + timedelta(minutes=1),
    )
    hurry(database, RELEASE_TENTATIVE)


@pytest.mark.parametrize("kind", ["consultation", "webinar"])
def test_a_seat_is_released_a_day_after_it_was_taken_where_no_payment_keeps_it(
    world: Scene, kind: str
) -> None:
    """Abandoned long ago: its payment is gone, its seat was left behind."""
    _, made = seated(world, kind=kind)
    hurry(world.owner, RELEASE_TENTATIVE)
    assert world.run(RELEASE_TENTATIVE).tally["succeeded"] == 0
    age(world.owner)
    assert world.run(RELEASE_TENTATIVE).tally["succeeded"] == 0, "its checkout is under way"
    abandon(world.owner, made.payment)
    age(world.owner)
    assert world.run(RELEASE_TENTATIVE).tally["succeeded"] == 1
    ends = everything(world.owner, made)
    assert (ends["seat"], ends["taken"]) == ("RELEASED", 0)
    assert ends["appointment"] == ("CANCELLED" if kind == "consultation" else "PLANNED")
    assert_sound(world.owner)


def test_a_seat_whose_payment_succeeded_is_never_released(world: Scene) -> None:
    """Invariant 72: even one whose confirmation was lost elsewhere."""
    _, made = seated(world)
    change(
        world.owner,
        """WITH told AS (
             INSERT INTO moves (kind, subject, source, target, actor)
             VALUES ('payment', :id, 'PENDING', 'SUCCEEDED', 'elsewhere')),
           gone AS (DELETE FROM work WHERE subject = :id)
           UPDATE payments SET state = 'SUCCEEDED', paid_at = clock_timestamp() WHERE id = :id""",
        id=made.payment,
    )
    age(world.owner)
    assert world.run(RELEASE_TENTATIVE).tally["succeeded"] == 0
    assert state(world.owner, "seats", seat(world.owner)) == "TENTATIVE"


def seat(database: Database) -> UUID:
    """The only seat there is."""
    [row] = rows(database, "SELECT id FROM seats")
    id_: UUID = row.id
    return id_


def test_a_thousand_seats_of_one_appointment_are_counted_out_of_it_at_once(world: Scene) -> None:
    offer = plan(world.operator)
    at = appointment(world.operator, offer, capacity=40)
    who = customer(world.operator)
    for n in range(30):
        begin(world.database, str(n), of=who, plan=offer, at=at)
    for row in rows(world.owner, "SELECT id FROM payments LIMIT 27"):
        abandon(world.owner, row.id)
    age(world.owner)
    assert world.run(RELEASE_TENTATIVE).tally["succeeded"] == 27
    assert [row.taken for row in rows(world.owner, "SELECT taken FROM appointments")] == [3]
    assert_sound(world.owner)


def test_whoever_holds_an_appointment_that_is_waited_for_meets_its_release_in_no_deadlock(
    world: Scene,
) -> None:
    """Its work row is locked before its row: a capture at the same appointment has that one, and wants the row next."""
    offer, waits = plan(world.operator), customer(world.operator)
    at = appointment(world.operator, offer)
    made = begin(world.database, of=customer(world.operator), plan=offer, at=at)
    with world.database.begin() as tx:
        join(tx, CustomerOwner(id=waits), at)
    abandon(world.owner, made.payment)
    age(world.owner)

    def release() -> Released:
        order = ClaimOrder(run=7, limit=10, lease_seconds=15)
        with world.database.begin() as tx:
            return release_tentative(tx, order, older=TENTATIVE_FOR)

    with ThreadPoolExecutor(1) as pool:
        with world.owner.begin() as tx:
            hold(tx, [at], run=None, actor="asha")
            released = pool.submit(release)
            eventually(lambda: len(rows(world.owner, WAITS_FOR_A_LOCK)) == 1, what="it waits")
            lock(tx, "appointment", [at])
        assert released.result() == Released(taken=1, seats=1, appointments=1)
    assert state(world.owner, "appointments", at) == "FREED"
    assert_sound(world.owner)
