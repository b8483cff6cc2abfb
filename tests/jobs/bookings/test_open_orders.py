"""bookings.open_orders through the real runner: each order is made once, and a lost reply is never a second one."""

from datetime import timedelta

import pytest

from db.work import ClaimOrder
from domain.answers import Rejected
from domain.ledger import AccountKind
from domain.payments import ASK_ORDERS, CLOSE_ORDERS, OPEN_ORDERS
from jobs.bookings.open_orders import OpenOrders
from tests.booking import balance, cancel, everything, pay, state
from tests.builders import assert_sound, change, expire, hurry, rows
from tests.fakes.payments import FakePayments
from tests.kit.clock import FrozenClock
from tests.kit.world import Fakes, Scene
from tests.paying import begun, findings, order
from workers.sandbox.faults import Fault

LOST = [Fault.DROP, Fault.ERROR, Fault.GARBAGE, Fault.TRUNCATE, Fault.HANG]


@pytest.fixture(params=["razorpay", "stripe"])
def fakes(request: pytest.FixtureRequest) -> Fakes:
    return Fakes(payments=FakePayments(request.param))


def again(world: Scene) -> None:
    """Let the time of the next try come, and try."""
    hurry(world.owner, OPEN_ORDERS)
    world.run(OPEN_ORDERS)


def died(world: Scene, *, sent: bool) -> None:
    """A worker commits to what is due, asks for it (or does not), and dies."""
    job = world.jobs[OPEN_ORDERS]
    assert isinstance(job, OpenOrders)
    with world.database.begin() as tx:
        items = job.claim(tx, ClaimOrder(run=0, limit=9, lease_seconds=0.001)).items
    for item in items if sent else []:
        job.effect(item, lambda: True)
    expire(world.owner)


def test_an_order_is_made_and_called_what_the_gateway_calls_it(world: Scene) -> None:
    _, made = begun(world, wallet=500)
    run = world.run(OPEN_ORDERS)
    [theirs] = world.fakes.payments.of(made.order)
    assert run.tally["succeeded"] == 1
    assert (theirs.amount_minor, theirs.currency) == (made.gateway_minor, "INR")
    found = order(world.owner, made.order)
    assert (found.state, found.gateway_id, found.provider) == (
        "OPEN",
        theirs.provider_id,
        world.fakes.payments.provider,
    )
    assert (found.made, found.made_as) == ("accepted", theirs.provider_id)
    assert found.waits_for == ASK_ORDERS, "at the end of its checkout"
    assert 34 * 60 < found.wait <= 35 * 60
    assert_sound(world.owner)


def test_orders_are_made_in_sets_each_once(world: Scene) -> None:
    made = [begun(world)[1] for _ in range(12)]
    assert world.run(OPEN_ORDERS).tally["succeeded"] == 12
    world.run(OPEN_ORDERS)
    assert [len(world.fakes.payments.of(one.order)) for one in made] == [1] * 12
    assert_sound(world.owner)


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_reply_is_looked_for_and_never_makes_a_second_order(
    world: Scene, fault: Fault
) -> None:
    """TRAP: Razorpay's orders have no key, so asking twice makes two."""
    _, made = begun(world)
    world.fakes.payments.script(fault)
    assert world.run(OPEN_ORDERS).tally["unknown"] == 1
    found = order(world.owner, made.order)
    assert (found.state, found.made, found.waits_for) == ("NEW", "unknown", OPEN_ORDERS)
    again(world)
    assert order(world.owner, made.order).state == "OPEN"
    assert len(world.fakes.payments.of(made.order)) == 1
    assert_sound(world.owner)


@pytest.mark.parametrize("fault", [Fault.ERROR_BEFORE, Fault.RESET, Fault.RATE_LIMIT])
def test_what_was_not_found_is_asked_for_again(world: Scene, fault: Fault) -> None:
    _, made = begun(world)
    world.fakes.payments.script(fault)
    world.run(OPEN_ORDERS)
    again(world)
    found = order(world.owner, made.order)
    assert (found.state, found.sends) == ("OPEN", 2)
    assert len(world.fakes.payments.of(made.order)) == 1


@pytest.mark.parametrize("sent", [True, False])
def test_a_worker_that_dies_leaves_one_order(world: Scene, *, sent: bool) -> None:
    _, made = begun(world)
    died(world, sent=sent)
    again(world)
    assert order(world.owner, made.order).state == "OPEN"
    assert len(world.fakes.payments.of(made.order)) == 1
    assert_sound(world.owner)


def test_what_never_left_is_tried_again_with_nothing_counted(world: Scene) -> None:
    _, made = begun(world)
    world.fakes.payments.unreachable = "ConnectError"
    world.run(OPEN_ORDERS)
    found = order(world.owner, made.order)
    assert (found.state, found.made, found.sends, found.tries) == ("NEW", "not_sent", 0, 1)
    world.fakes.payments.unreachable = None
    again(world)
    assert (order(world.owner, made.order).state, order(world.owner, made.order).sends) == (
        "OPEN",
        1,
    )


def test_what_the_gateway_refuses_ends_its_checkout(world: Scene) -> None:
    """Legs go back, the seat is free; the booking stays for another checkout."""
    who, made = begun(world, wallet=500)
    world.fakes.payments.script(Fault.REFUSE)
    assert world.run(OPEN_ORDERS).tally["failed"] == 1
    found = everything(world.owner, made)
    assert (found["payment"], found["booking"], found["seat"]) == (
        "FAILED",
        "APPROVED_PENDING_PAYMENT",
        "RELEASED",
    )
    assert balance(world.owner, AccountKind.WALLET, who) == 500
    world.run(CLOSE_ORDERS)
    assert (order(world.owner, made.order).state, order(world.owner, made.order).made) == (
        "CLOSED",
        "rejected",
    )
    assert_sound(world.owner)


def test_a_refusal_of_a_second_send_says_nothing_of_the_first(world: Scene) -> None:
    """TRAP: a 4xx is definitive for the first send alone."""
    _, made = begun(world)
    world.fakes.payments.script(Fault.ERROR_BEFORE, Rejected(code="BAD_REQUEST_ERROR", reason="no"))
    world.run(OPEN_ORDERS)
    again(world)
    found = order(world.owner, made.order)
    assert (found.state, found.made) == ("NEW", "unknown")
    assert state(world.owner, "payments", made.payment) == "PENDING"


def test_an_answer_of_another_amount_waits_for_a_person(world: Scene) -> None:
    """Nobody is told to pay it; the end of its checkout ends it too."""
    who, made = begun(world)
    world.fakes.payments.script(Fault.WRONG_AMOUNT)
    world.run(OPEN_ORDERS)
    found = order(world.owner, made.order)
    assert found.state == "NEW"
    assert found.parked_reason is not None
    assert findings(world.owner) == ["order-mismatch"]
    cancel(world.database, who, made.payment)
    found = order(world.owner, made.order)
    assert (found.state, found.waits_for, found.parked_reason) == ("CLOSING", CLOSE_ORDERS, None)


def test_an_order_found_with_another_amount_waits_for_a_person(world: Scene) -> None:
    _, made = begun(world)
    world.fakes.payments.script(Fault.DROP)
    world.run(OPEN_ORDERS)
    change(world.owner, "UPDATE orders SET amount = amount + 1")
    again(world)
    found = order(world.owner, made.order)
    if world.fakes.payments.provider == "razorpay":
        assert found.parked_reason is not None
        assert findings(world.owner) == ["order-mismatch"]
    assert found.state == "NEW" or world.fakes.payments.orders_are_keyed


def test_keys_that_the_gateway_refuses_set_its_brake(world: Scene) -> None:
    _, made = begun(world)
    world.fakes.payments.script(Fault.UNAUTHORISED)
    world.run(OPEN_ORDERS)
    assert findings(world.owner) == ["provider-brake"]
    again(world)
    assert order(world.owner, made.order).state == "NEW"
    assert len(world.fakes.payments.sends) == 1


def test_a_checkout_that_ends_while_its_order_is_asked_for_fences_the_worker(world: Scene) -> None:
    """Its answer is evidence, and the order is forgotten by the job that closes orders."""
    who, made = begun(world)
    with world.fakes.payments.held() as hold:
        run = world.in_background(OPEN_ORDERS)
        hold.wait_for(1)
        cancel(world.database, who, made.payment)
        hold.release()
        assert run.end().tally["fenced"] == 1
    assert order(world.owner, made.order).state == "CLOSING"
    answers = rows(world.owner, "SELECT answer, moved FROM effect_answers")
    assert [(row.answer, row.moved) for row in answers] == [("accepted", False)]
    world.run(CLOSE_ORDERS)
    [theirs] = world.fakes.payments.of(made.order)
    assert order(world.owner, made.order).gateway_id == theirs.provider_id
    assert_sound(world.owner)


def test_what_was_paid_meanwhile_is_handed_on(world: Scene) -> None:
    _, made = begun(world)
    pay(world.database, made.payment)
    world.run(OPEN_ORDERS)
    assert world.fakes.payments.sends == []
    assert_sound(world.owner)


def test_an_amount_that_the_gateway_takes_no_order_of_ends_its_checkout(
    world: Scene, clock: FrozenClock
) -> None:
    """Razorpay takes no order below a rupee: nobody could pay it."""
    _, made = begun(world, wallet=9_950)
    world.run(OPEN_ORDERS)
    is_taken = world.fakes.payments.orders_are_keyed
    assert state(world.owner, "payments", made.payment) == ("PENDING" if is_taken else "FAILED")
    clock.forward(timedelta(seconds=1))
    assert_sound(world.owner)


def test_an_order_of_another_gateway_is_asked_of_nobody_here(world: Scene) -> None:
    _, made = begun(world)
    world.fakes.payments.script(Fault.DROP)
    world.run(OPEN_ORDERS)
    change(world.owner, "UPDATE effects SET provider = 'another'")
    again(world)
    assert "an order of another" in str(order(world.owner, made.order).parked_reason)
