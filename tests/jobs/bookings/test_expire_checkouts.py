"""Checkouts expire at their time, where nobody paid: all of each, or nothing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from db.bookings.expire import fail
from db.engine import Database
from domain.checkouts import Receipt
from domain.ledger import AccountKind
from domain.payments import AGAIN_WITHIN, CHECKOUT_FOR, EXPIRE_CHECKOUTS
from tests.booking import (
    NOON,
    appointment,
    balance,
    begin,
    cancel,
    customer,
    everything,
    fill,
    pay,
    plan,
    state,
)
from tests.builders import assert_sound, change, hurry, rows
from tests.jobs.bookings.seating import seated
from tests.kit.clock import FrozenClock
from tests.kit.world import Scene


def test_a_checkout_expires_at_its_time_and_not_before(world: Scene, clock: FrozenClock) -> None:
    _, made = seated(world, kind="consultation")
    clock.forward(CHECKOUT_FOR - timedelta(minutes=1))
    assert world.run(EXPIRE_CHECKOUTS).tally["succeeded"] == 0
    clock.forward(timedelta(minutes=2))
    assert world.run(EXPIRE_CHECKOUTS).tally["succeeded"] == 1
    assert everything(world.owner, made) == {
        "payment": "EXPIRED",
        "booking": "EXPIRED",
        "seat": "RELEASED",
        "appointment": "CANCELLED",
        "taken": 0,
        "order": "CLOSING",
        "orphaned": False,
    }
    assert_sound(world.owner)


def test_legs_of_what_expires_go_back(world: Scene) -> None:
    who, offer = customer(world.operator), plan(world.operator)
    fill(world.operator, who, 500)
    at = appointment(world.operator, offer)
    made = begin(world.database, of=who, plan=offer, at=at, wallet_minor=500)
    past(world.owner, made.payment)
    world.run(EXPIRE_CHECKOUTS)
    assert balance(world.owner, AccountKind.WALLET, who) == 500
    assert_sound(world.owner)


def past(database: Database, payment: UUID) -> None:
    """Let the time of a checkout be over, as time would."""
    change(
        database,
        "UPDATE payments SET expires_at = clock_timestamp() - interval '1 second' WHERE id = :id",
        id=payment,
    )
    hurry(database, EXPIRE_CHECKOUTS)


def test_what_was_paid_or_cancelled_or_has_time_left_does_not_expire(world: Scene) -> None:
    who, first = seated(world)
    _, paid = seated(world)
    _, waits = seated(world)
    pay(world.database, paid.payment)
    cancel(world.database, who, first.payment)
    hurry(world.owner, EXPIRE_CHECKOUTS)
    assert world.run(EXPIRE_CHECKOUTS).tally["succeeded"] == 0
    assert state(world.owner, "payments", waits.payment) == "PENDING"
    [left] = rows(
        world.owner,
        "SELECT due_at > clock_timestamp() + interval '30 minutes' AS ok FROM work WHERE job = :job",
        job=EXPIRE_CHECKOUTS,
    )
    assert left.ok
    assert_sound(world.owner)


def refused(world: Scene) -> tuple[Receipt, dict[str, Any]]:
    """A checkout that the gateway refused; what another one of its booking asks for."""
    who, made = seated(world, kind="consultation")
    world.database.transact(lambda tx: fail(tx, [made.payment], run=None, actor="gateway"))
    [found] = rows(world.owner, "SELECT plan FROM bookings WHERE id = :id", id=made.booking)
    return made, {"of": who, "plan": found.plan, "starts": (NOON,), "booking": made.booking}


def test_a_booking_whose_checkout_was_refused_ends_a_day_later(
    world: Scene, clock: FrozenClock
) -> None:
    """TRAP: with no checkout under way nothing else would end it, and nobody could cancel it."""
    made, _ = refused(world)
    clock.forward(AGAIN_WITHIN - timedelta(minutes=1))
    assert world.run(EXPIRE_CHECKOUTS).tally["succeeded"] == 0
    assert state(world.owner, "bookings", made.booking) == "APPROVED_PENDING_PAYMENT"
    clock.forward(timedelta(minutes=2))
    assert world.run(EXPIRE_CHECKOUTS).tally["succeeded"] == 1
    assert state(world.owner, "payments", made.payment) == "EXPIRED"
    assert state(world.owner, "bookings", made.booking) == "EXPIRED"
    assert_sound(world.owner)


def test_a_checkout_that_was_begun_again_keeps_its_booking(world: Scene) -> None:
    first, asked = refused(world)
    again = begin(world.database, "again", **asked)
    hurry(world.owner, EXPIRE_CHECKOUTS)
    assert world.run(EXPIRE_CHECKOUTS).tally["succeeded"] == 1
    assert state(world.owner, "payments", first.payment) == "EXPIRED"
    assert pay(world.database, again.payment) == ["scheduled"]
    assert state(world.owner, "bookings", first.booking) == "SCHEDULED"
    assert_sound(world.owner)


def test_of_several_that_were_refused_the_last_ends_the_booking(world: Scene) -> None:
    first, asked = refused(world)
    again = begin(world.database, "again", **asked)
    world.database.transact(lambda tx: fail(tx, [again.payment], run=None, actor="gateway"))
    hurry(world.owner, EXPIRE_CHECKOUTS)
    assert world.run(EXPIRE_CHECKOUTS).tally["succeeded"] == 2
    assert state(world.owner, "bookings", first.booking) == "EXPIRED"
    assert_sound(world.owner)


def test_a_booking_that_another_payment_pays_for_keeps_its_seat(world: Scene) -> None:
    """Abandoned checkouts: re-checked, with no SUCCEEDED payment in the statement itself."""
    _, made = seated(world)
    pay(world.database, made.payment)
    change(
        world.owner,
        """WITH twin AS (
             INSERT INTO payments (id, booking, customer, scope, actor, key, request_hash, amount, currency, expires_at)
             SELECT gen_random_uuid(), booking, customer, scope, actor, 'twin', '', amount, currency, clock_timestamp()
             FROM payments RETURNING id, amount),
           made AS (INSERT INTO orders (id, payment, amount, currency)
                    SELECT gen_random_uuid(), id, amount, 'INR' FROM twin),
           leg AS (INSERT INTO payment_legs (payment, kind, amount) SELECT id, 'gateway', amount FROM twin)
           INSERT INTO work (job, subject) SELECT 'bookings.expire_checkouts', id FROM twin""",
    )
    assert world.run(EXPIRE_CHECKOUTS).tally["succeeded"] == 1
    ends = rows(world.owner, "SELECT state FROM payments ORDER BY key")
    assert [row.state for row in ends] == ["SUCCEEDED", "EXPIRED"]
    assert state(world.owner, "bookings", made.booking) == "SCHEDULED"
    assert [row.state for row in rows(world.owner, "SELECT state FROM seats")] == ["CONFIRMED"]
    assert_sound(world.owner)
