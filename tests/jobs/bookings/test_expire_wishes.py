"""Wishes end: a week after they were asked for, or approved, where nobody decided and no checkout was begun."""

from datetime import timedelta
from uuid import UUID, uuid4

from db.engine import Database
from domain.bookings import EXPIRE_WISHES, WISH_FOR
from domain.payments import EXPIRE_CHECKOUTS
from tests.booking import appointment, begin, customer, plan, state, wish
from tests.builders import assert_sound, change, hurry, rows
from tests.kit.clock import FrozenClock
from tests.kit.world import Scene

HOUR = timedelta(hours=1)


def decide(database: Database, booking: UUID, to: str = "APPROVED") -> str:
    """What the door in SQL says to a move of a wish, by hand, that names no due time."""
    [row] = rows(
        database,
        "SELECT m.outcome FROM bursar_move('booking', ARRAY[CAST(:id AS uuid)], :to, 'asha', 'she agreed') m",
        id=booking,
        to=to,
    )
    return str(row.outcome)


def ended(scene: Scene) -> list[str]:
    """Why bookings ended."""
    found = rows(
        scene.owner, "SELECT reason FROM moves WHERE kind = 'booking' AND target = 'EXPIRED'"
    )
    return [row.reason for row in found]


def test_a_wish_that_nobody_decided_on_ends_in_its_time_and_not_before(
    world: Scene, clock: FrozenClock
) -> None:
    asked = wish(world.operator)
    clock.forward(WISH_FOR - HOUR)
    assert world.run(EXPIRE_WISHES).tally["succeeded"] == 0
    assert state(world.owner, "bookings", asked) == "PENDING"
    assert_sound(world.owner)
    clock.forward(2 * HOUR)
    assert world.run(EXPIRE_WISHES).tally["succeeded"] == 1
    assert state(world.owner, "bookings", asked) == "EXPIRED"
    assert ended(world) == ["nobody decided on it in time"]
    assert_sound(world.owner)


def test_a_wish_that_was_approved_has_its_time_anew_whoever_approved_it(
    world: Scene, clock: FrozenClock
) -> None:
    """TRAP: a move by SQL names no due time, so its work is due at once: that ends no wish."""
    asked = wish(world.operator)
    clock.forward(WISH_FOR - HOUR)
    assert decide(world.operator, asked) == "moved"
    assert world.run(EXPIRE_WISHES).tally["skipped"] == 1
    [waits] = rows(
        world.owner,
        "SELECT due_at > clock_timestamp() + CAST(:wish_for AS interval) - interval '1 hour' AS later FROM work",
        wish_for=WISH_FOR,
    )
    assert waits.later
    clock.forward(WISH_FOR + HOUR)
    assert world.run(EXPIRE_WISHES).tally["succeeded"] == 1
    assert ended(world) == ["no checkout of it was begun in time"]
    assert_sound(world.owner)


def test_a_wish_whose_checkout_was_begun_ends_with_that_alone(
    world: Scene, clock: FrozenClock
) -> None:
    """TRAP: its own end is gone with the first checkout, else it would end a booking that is being paid."""
    who, webinar = customer(world.operator), plan(world.operator)
    asked = wish(world.operator, of=who, plan=webinar)
    assert decide(world.operator, asked) == "moved"
    at = appointment(world.operator, webinar)
    made = begin(world.database, of=who, plan=webinar, at=at, booking=asked)
    assert made.booking == asked
    assert_sound(world.owner)
    hurry(world.owner, EXPIRE_WISHES)
    assert world.run(EXPIRE_WISHES).tally["processed"] == 0
    assert state(world.owner, "bookings", asked) == "APPROVED_PENDING_PAYMENT"
    assert_sound(world.owner)
    clock.forward(HOUR)
    world.run(EXPIRE_CHECKOUTS)
    assert state(world.owner, "bookings", asked) == "EXPIRED"
    assert_sound(world.owner)


def test_what_is_no_wish_any_more_waits_for_nothing(world: Scene) -> None:
    """Work that somebody left behind by hand ends nothing."""
    change(
        world.owner,
        "INSERT INTO work (job, subject) VALUES (:job, :id)",
        job=EXPIRE_WISHES,
        id=uuid4(),
    )
    assert world.run(EXPIRE_WISHES).tally["succeeded"] == 0
    assert rows(world.owner, "SELECT FROM work WHERE job = :job", job=EXPIRE_WISHES) == []
