"""bookings.ask_orders through the real runner: whoever paid in time has their seat, whether or not an event came."""

from dataclasses import replace
from datetime import timedelta

import pytest

from db.bookings.confirm import confirm_checkout
from domain.booking_errors import UnknownError
from domain.checkouts import Receipt
from domain.owners import CustomerOwner
from domain.payments import ASK_ORDERS, ASKED_FOR, CHECKOUT_FOR, EXPIRE_CHECKOUTS, OPEN_ORDERS
from tests.booking import customer, everything
from tests.builders import assert_sound, hurry
from tests.fakes.payments import FakePayments
from tests.kit.clock import FrozenClock
from tests.kit.world import Fakes, Scene
from tests.paying import begun, findings, opened, order

AFTER = timedelta(minutes=1)
PAID = ("SUCCEEDED", "SCHEDULED", "CONFIRMED", "CLOSED", False)


@pytest.fixture(params=["razorpay", "stripe"])
def fakes(request: pytest.FixtureRequest) -> Fakes:
    return Fakes(payments=FakePayments(request.param))


def stands(world: Scene, made: Receipt) -> tuple[object, ...]:
    found = everything(world.owner, made)
    return tuple(found[name] for name in ("payment", "booking", "seat", "order", "orphaned"))


def test_whoever_paid_keeps_their_seat_though_no_event_ever_came(
    world: Scene, clock: FrozenClock
) -> None:
    """TRAP: webhooks that are lost, or late, for 35 minutes made an orphan of every paid checkout."""
    made, theirs = opened(world)
    capture = world.fakes.payments.capture(theirs.provider_id)
    clock.forward(CHECKOUT_FOR + AFTER)
    assert world.run(EXPIRE_CHECKOUTS).tally["succeeded"] == 0, "the gateway is asked first"
    assert world.run(ASK_ORDERS).tally["succeeded"] == 1
    assert stands(world, made) == PAID
    assert order(world.owner, made.order).captured_as == capture
    assert_sound(world.owner)


def test_what_nobody_paid_ends_at_its_time_and_not_before(world: Scene, clock: FrozenClock) -> None:
    made, _ = opened(world)
    hurry(world.owner, ASK_ORDERS)
    assert world.run(ASK_ORDERS).tally["waiting"] == 1
    assert stands(world, made)[0] == "PENDING"
    assert 34 * 60 < order(world.owner, made.order).wait <= 35 * 60
    clock.forward(CHECKOUT_FOR + AFTER)
    assert world.run(ASK_ORDERS).tally["succeeded"] == 1
    assert stands(world, made) == ("EXPIRED", "EXPIRED", "RELEASED", "CLOSING", False)
    assert_sound(world.owner)


def test_a_gateway_that_cannot_be_asked_is_waited_for_an_hour_at_most(
    world: Scene, clock: FrozenClock
) -> None:
    made, theirs = opened(world)
    world.fakes.payments.capture(theirs.provider_id)
    world.fakes.payments.unreachable = "no route"
    clock.forward(CHECKOUT_FOR + AFTER)
    world.run(ASK_ORDERS)
    world.run(EXPIRE_CHECKOUTS)
    found = order(world.owner, made.order)
    assert (found.state, found.waits_for, found.last_error) == ("OPEN", ASK_ORDERS, "no route")
    clock.forward(ASKED_FOR)
    world.run(EXPIRE_CHECKOUTS)
    assert stands(world, made) == ("EXPIRED", "EXPIRED", "RELEASED", "CLOSING", False)
    assert_sound(world.owner)


def test_what_was_paid_otherwise_than_asked_is_not_booked_and_a_person_looks(world: Scene) -> None:
    made, theirs = opened(world)
    gateway = world.fakes.payments
    gateway.capture(theirs.provider_id)
    [paid] = gateway.of(made.order)
    gateway.orders = [replace(paid, amount_minor=paid.amount_minor - 1)]
    hurry(world.owner, ASK_ORDERS)
    world.run(ASK_ORDERS)
    assert stands(world, made)[0] == "PENDING"
    assert "was paid" in order(world.owner, made.order).parked_reason
    assert findings(world.owner) == ["order-mismatch"]
    assert_sound(world.owner)


@pytest.mark.parametrize("fakes", ["stripe"], indirect=True)
def test_what_the_gateway_let_go_is_refused(world: Scene) -> None:
    made, theirs = opened(world)
    world.fakes.payments.cancel_order(theirs.provider_id)
    hurry(world.owner, ASK_ORDERS)
    world.run(ASK_ORDERS)
    assert stands(world, made)[:2] == ("FAILED", "APPROVED_PENDING_PAYMENT")
    assert_sound(world.owner)


def test_a_customer_has_the_gateway_asked_at_once_and_it_alone_is_believed(world: Scene) -> None:
    who, made = begun(world)
    owner = CustomerOwner(id=who)

    def say() -> Receipt:
        return world.database.transact(lambda tx: confirm_checkout(tx, owner, made.payment))

    assert say().state == "PENDING", "its order is not made yet"
    world.run(OPEN_ORDERS)
    assert world.run(ASK_ORDERS).tally["processed"] == 0, "nobody asked"
    say()
    assert world.run(ASK_ORDERS).tally["waiting"] == 1
    assert stands(world, made)[0] == "PENDING", "their word moves nothing"
    [theirs] = world.fakes.payments.of(made.order)
    world.fakes.payments.capture(theirs.provider_id)
    say()
    world.run(ASK_ORDERS)
    assert stands(world, made) == PAID
    assert say().state == "SUCCEEDED"
    other = CustomerOwner(id=customer(world.operator))
    with pytest.raises(UnknownError):
        world.database.transact(lambda tx: confirm_checkout(tx, other, made.payment))
    assert_sound(world.owner)
