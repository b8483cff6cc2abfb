"""bookings.close_orders through the real runner: what nobody paid is forgotten, and what was paid is taken in."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.checkout_answers import OrderStatus
from domain.checkouts import Receipt
from domain.ledger import AccountKind
from domain.payments import CLOSE_ORDERS, OPEN_ORDERS
from jobs.bookings.close_orders import CloseOrders
from tests.booking import balance, cancel, everything
from tests.builders import assert_sound, hurry, rows
from tests.fakes.payments import FakePayments
from tests.jobs.bookings.test_open_orders import died
from tests.kit.clock import FrozenClock
from tests.kit.world import Fakes, Scene
from tests.paying import begun, order
from workers.sandbox.faults import Fault

OF_STRIPE = pytest.mark.parametrize("fakes", ["stripe"], indirect=True)
OF_RAZORPAY = pytest.mark.parametrize("fakes", ["razorpay"], indirect=True)


@pytest.fixture(params=["razorpay", "stripe"])
def fakes(request: pytest.FixtureRequest) -> Fakes:
    return Fakes(payments=FakePayments(request.param))


def left(world: Scene, *, opened: bool = True) -> Receipt:
    """A checkout that its customer cancelled, after the gateway had made its order unless told."""
    who, made = begun(world)
    if opened:
        world.run(OPEN_ORDERS)
    cancel(world.database, who, made.payment)
    return made


def name_of(world: Scene, made: Receipt) -> str:
    """What the gateway calls its order."""
    [theirs] = world.fakes.payments.of(made.order)
    return theirs.provider_id


def again(world: Scene) -> None:
    """Let the time of the next try come, and try."""
    hurry(world.owner, CLOSE_ORDERS)
    world.run(CLOSE_ORDERS)


def test_what_the_gateway_never_had_is_closed_without_a_word(world: Scene) -> None:
    made = left(world, opened=False)
    world.run(CLOSE_ORDERS)
    found = order(world.owner, made.order)
    assert (found.state, found.waits_for, found.cancel) == ("CLOSED", None, None)
    assert world.fakes.payments.sends == []
    assert_sound(world.owner)


@OF_STRIPE
def test_the_gateway_forgets_it_once(world: Scene) -> None:
    made = left(world)
    assert world.run(CLOSE_ORDERS).tally["succeeded"] == 1
    found = order(world.owner, made.order)
    assert (found.state, found.waits_for, found.cancel) == ("CLOSED", None, "accepted")
    assert [one.status for one in world.fakes.payments.orders] == [OrderStatus.CLOSED]
    assert [one.what for one in world.fakes.payments.sends] == ["order", "cancel"]
    assert_sound(world.owner)


@OF_STRIPE
@pytest.mark.parametrize("fault", [Fault.DROP, Fault.ERROR_BEFORE, Fault.REFUSE, Fault.RATE_LIMIT])
def test_a_failed_cancel_never_uncancels(world: Scene, fault: Fault) -> None:
    """TRAP: whatever the gateway says, the checkout is over; the cancel is tried again until it says so too."""
    made = left(world)
    world.fakes.payments.script(fault)
    world.run(CLOSE_ORDERS)
    assert everything(world.owner, made)["payment"] == "EXPIRED"
    again(world)
    again(world)
    assert order(world.owner, made.order).state == "CLOSED"
    assert [one.status for one in world.fakes.payments.orders] == [OrderStatus.CLOSED]
    assert_sound(world.owner)


def test_what_was_paid_all_the_same_is_an_orphan_without_any_event(world: Scene) -> None:
    """Razorpay's event may be lost, and a cancel come too late: the order itself says that it was paid."""
    made = left(world)
    capture = world.fakes.payments.capture(name_of(world, made))
    world.run(CLOSE_ORDERS)
    found = everything(world.owner, made)
    assert (found["payment"], found["orphaned"], found["order"]) == ("SUCCEEDED", True, "CLOSED")
    assert balance(world.owner, AccountKind.REFUNDS_PAYABLE) == made.gateway_minor
    assert order(world.owner, made.order).captured_as == capture
    assert_sound(world.owner)


def test_what_was_paid_otherwise_than_asked_is_not_booked_and_a_person_looks(
    world: Scene,
) -> None:
    """Not what the order is of: neither our amount nor theirs may be posted without somebody."""
    made = left(world)
    gateway = world.fakes.payments
    gateway.capture(name_of(world, made))
    [theirs] = gateway.of(made.order)
    gateway.orders = [replace(theirs, amount_minor=theirs.amount_minor - 1)]
    world.run(CLOSE_ORDERS)
    found = everything(world.owner, made)
    assert (found["payment"], found["orphaned"], found["order"]) == ("EXPIRED", False, "CLOSING")
    assert balance(world.owner, AccountKind.REFUNDS_PAYABLE) == 0
    [finding] = rows(world.owner, "SELECT kind, detail FROM findings WHERE resolved_at IS NULL")
    assert finding.kind == "order-mismatch"
    assert f"{theirs.amount_minor - 1} INR, not {theirs.amount_minor} INR" in finding.detail
    assert_sound(world.owner)


@OF_RAZORPAY
def test_razorpay_forgets_none_so_it_is_looked_at_again_a_day_later(
    world: Scene, clock: FrozenClock
) -> None:
    made = left(world)
    world.run(CLOSE_ORDERS)
    found = order(world.owner, made.order)
    assert (found.state, found.waits_for, found.cancel) == ("CLOSING", CLOSE_ORDERS, None)
    assert 23 * 3600 < found.wait <= 24 * 3600
    clock.forward(timedelta(hours=24, minutes=1))
    world.run(CLOSE_ORDERS)
    assert order(world.owner, made.order).state == "CLOSED"
    assert_sound(world.owner)


@OF_RAZORPAY
def test_what_is_paid_within_that_day_is_found_then(world: Scene, clock: FrozenClock) -> None:
    made = left(world)
    world.run(CLOSE_ORDERS)
    world.fakes.payments.capture(name_of(world, made))
    clock.forward(timedelta(hours=24, minutes=1))
    world.run(CLOSE_ORDERS)
    assert everything(world.owner, made)["orphaned"] is True
    assert_sound(world.owner)


@pytest.mark.parametrize("sent", [True, False])
def test_what_may_be_there_is_looked_for_by_its_reference(world: Scene, *, sent: bool) -> None:
    """Its worker died while it asked for the order, and the customer cancelled."""
    who, made = begun(world)
    died(world, sent=sent)
    cancel(world.database, who, made.payment)
    world.run(CLOSE_ORDERS)
    found = order(world.owner, made.order)
    if not sent:
        assert found.state == "CLOSED"
    else:
        assert (found.gateway_id, found.made) == (name_of(world, made), "accepted")
        assert found.state == ("CLOSED" if world.fakes.payments.orders_are_forgotten else "CLOSING")
    assert_sound(world.owner)


def test_finding_nothing_says_nothing_at_first(world: Scene) -> None:
    """A search that lags does not see what was made just now."""
    world.fakes.payments.look_up_grace = timedelta(minutes=5)
    who, made = begun(world)
    died(world, sent=False)
    cancel(world.database, who, made.payment)
    closer = CloseOrders(world.fakes.payments, call_seconds_max=8.0)
    world.jobs = {**world.jobs, CLOSE_ORDERS: closer}
    world.run(CLOSE_ORDERS)
    assert order(world.owner, made.order).state == "CLOSING"


def test_what_the_gateway_does_not_say_is_asked_again(world: Scene) -> None:
    made = left(world)
    world.fakes.payments.unreachable = "ReadTimeout"
    assert world.run(CLOSE_ORDERS).tally["waiting"] == 1
    found = order(world.owner, made.order)
    assert (found.state, found.tries) == ("CLOSING", 1)
    world.fakes.payments.unreachable = None
    again(world)
    is_over = world.fakes.payments.orders_are_forgotten
    assert order(world.owner, made.order).state == ("CLOSED" if is_over else "CLOSING")


@OF_STRIPE
def test_a_cancel_is_written_before_it_is_sent(world: Scene) -> None:
    made = left(world)
    with world.fakes.payments.held() as hold:
        run = world.in_background(CLOSE_ORDERS)
        hold.wait_for(1)
        [effect] = rows(world.owner, "SELECT state, sends FROM effects WHERE kind = 'order.close'")
        assert (effect.state, effect.sends) == ("intended", 1)
        hold.release()
        run.end()
    assert order(world.owner, made.order).cancelled_as == f"{name_of(world, made)}/cancel"
