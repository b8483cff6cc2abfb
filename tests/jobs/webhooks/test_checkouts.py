"""What payment gateways tell of orders: in any order, any number of times, the same end; what differs moves nothing."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest

from domain.inbox import APPLY
from domain.ledger import AccountKind
from domain.payments import ASK_ORDERS, OPEN_ORDERS
from tests.booking import balance, cancel, everything, state
from tests.builders import assert_sound, change, hurry, rows
from tests.fakes.payments import FakePayments
from tests.hearing import raw, receive
from tests.jobs.bookings.test_open_orders import died
from tests.kit.clock import FrozenClock
from tests.kit.world import Fakes, Scene
from tests.paying import (
    AT,
    begun,
    cancelled,
    capture_of,
    captured,
    findings,
    heard,
    opened,
    order,
    order_paid,
    refused,
)
from workers.sandbox.faults import Fault

OF_RAZORPAY = pytest.mark.parametrize("fakes", ["razorpay"], indirect=True)
OF_STRIPE = pytest.mark.parametrize("fakes", ["stripe"], indirect=True)
PAID = ("SUCCEEDED", "SCHEDULED", "CONFIRMED", "CLOSED", False)


@pytest.fixture(params=["razorpay", "stripe"])
def fakes(request: pytest.FixtureRequest) -> Fakes:
    return Fakes(payments=FakePayments(request.param))


def ends(world: Scene, receipt: object) -> tuple[object, ...]:
    """Where a checkout is."""
    found = everything(world.owner, receipt)  # type: ignore[arg-type]  # of begun
    return tuple(found[key] for key in ("payment", "booking", "seat", "order", "orphaned"))


def test_a_capture_pays_for_its_booking_and_keeps_its_name(world: Scene) -> None:
    made, theirs = opened(world, wallet=500)
    assert heard(world, captured(theirs)) == [("APPLIED", "scheduled")]
    assert ends(world, made) == PAID
    assert order(world.owner, made.order).captured_as == capture_of(theirs)
    [payment] = rows(world.owner, "SELECT paid_at FROM payments")
    assert payment.paid_at == AT
    assert findings(world.owner) == []
    assert_sound(world.owner)


@pytest.mark.parametrize("words", list(permutations(["captured", "paid", "refused"])), ids="-".join)
@OF_RAZORPAY
def test_any_order_and_number_of_events_ends_alike(world: Scene, words: Sequence[str]) -> None:
    """F71, invariants 23 to 25: one by one, each twice, the second time in the opposite order."""
    made, theirs = opened(world)
    say = {"captured": captured, "paid": order_paid, "refused": refused}
    for word in [*words, *reversed(words)]:
        assert heard(world, say[word](theirs))[0][0] == "APPLIED"
    assert ends(world, made) == PAID
    assert len(rows(world.owner, "SELECT FROM earnings")) == 1
    assert findings(world.owner) == []
    assert_sound(world.owner)


def test_all_of_them_in_one_set_end_alike(world: Scene) -> None:
    made = [opened(world) for _ in range(6)]
    events = [
        say(theirs)
        for n, (_, theirs) in enumerate(made)
        for say in [(captured, refused), (refused, captured)][n % 2]
        for _ in range(2)
    ]
    receive(world.owner, events)
    world.run(APPLY)
    assert {ends(world, receipt) for receipt, _ in made} == {PAID}
    assert_sound(world.owner)


def test_a_try_that_was_refused_ends_nothing(world: Scene) -> None:
    """TRAP: a card that is refused is one try; the same order may be paid by the next, within its time."""
    made, theirs = opened(world)
    [(said, why)] = heard(world, refused(theirs))
    assert (said, "another may" in why) == ("APPLIED", True)
    assert ends(world, made)[:3] == ("PENDING", "APPROVED_PENDING_PAYMENT", "TENTATIVE")
    heard(world, captured(theirs))
    assert ends(world, made) == PAID


@OF_STRIPE
def test_an_order_that_the_gateway_cancelled_ends_its_checkout(world: Scene) -> None:
    made, theirs = opened(world, wallet=500)
    assert heard(world, cancelled(theirs)) == [("APPLIED", "failed")]
    assert ends(world, made) == (
        "FAILED",
        "APPROVED_PENDING_PAYMENT",
        "RELEASED",
        "CLOSING",
        False,
    )
    assert heard(world, cancelled(theirs))[0][1] == "nothing to do: its checkout is over"
    assert_sound(world.owner)


@pytest.mark.parametrize("sent", ["died", "lost"])
def test_an_event_that_comes_before_our_commit_finds_its_order_by_reference(
    world: Scene, sent: str
) -> None:
    """Nobody here knows yet what the gateway calls it; the event says our own id."""
    _, made = begun(world)
    if sent == "died":
        died(world, sent=True)
    else:
        world.fakes.payments.script(Fault.DROP)
        world.run(OPEN_ORDERS)
    [theirs] = world.fakes.payments.of(made.order)
    says = order_paid if theirs.provider_id.startswith("order_") else captured
    assert heard(world, says(theirs)) == [("APPLIED", "scheduled")]
    found = order(world.owner, made.order)
    assert (found.gateway_id, found.made) == (theirs.provider_id, "accepted")
    assert ends(world, made) == PAID
    assert_sound(world.owner)


@OF_RAZORPAY
def test_one_that_says_no_reference_waits_for_the_commit(world: Scene, clock: FrozenClock) -> None:
    _, made = begun(world)
    died(world, sent=True)
    [theirs] = world.fakes.payments.of(made.order)
    receive(world.owner, [captured(theirs)])
    assert world.run(APPLY).tally["waiting"] == 1
    hurry(world.owner, OPEN_ORDERS)
    world.run(OPEN_ORDERS)
    clock.forward(timedelta(seconds=2))
    world.run(APPLY)
    assert ends(world, made) == PAID
    assert_sound(world.owner)


def test_a_capture_of_no_order_of_ours_is_found_after_a_while(
    world: Scene, clock: FrozenClock
) -> None:
    _, theirs = opened(world)
    nobodys = {"order_id": "order_nobodys", "id": "pi_nobodys", "metadata": {}}
    receive(world.owner, [captured(theirs, **nobodys)])
    assert world.run(APPLY).tally["waiting"] == 1
    clock.forward(timedelta(minutes=3))
    world.run(APPLY)
    assert findings(world.owner) == ["event-failed", "payment-without-order"]
    [event] = rows(world.owner, "SELECT state, outcome FROM inbox")
    assert (event.state, "_nobodys, no order of ours" in event.outcome) == ("FAILED", True)


def test_what_is_captured_after_its_checkout_expired_is_an_orphan(
    world: Scene, clock: FrozenClock
) -> None:
    """Invariant 68: the documented orphan, owed back."""
    made, theirs = opened(world, wallet=500)
    clock.forward(timedelta(minutes=36))
    assert world.run(ASK_ORDERS).tally["succeeded"] == 1, "the gateway says that nobody paid"
    assert heard(world, captured(theirs)) == [("APPLIED", "orphaned")]
    assert ends(world, made)[0] == "SUCCEEDED"
    assert ends(world, made)[4] is True
    assert balance(world.owner, AccountKind.REFUNDS_PAYABLE) == made.gateway_minor
    assert heard(world, captured(theirs))[0][1] == "nothing to do: it was captured before"
    assert_sound(world.owner)


def test_what_is_captured_after_its_customer_cancelled_is_an_orphan(world: Scene) -> None:
    who, made = begun(world)
    world.run(OPEN_ORDERS)
    [theirs] = world.fakes.payments.of(made.order)
    cancel(world.database, who, made.payment)
    assert heard(world, captured(theirs)) == [("APPLIED", "orphaned")]
    assert_sound(world.owner)


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": 9_999, "amount_received": 9_999},
        {"currency": "USD"},
        {"amount": 10_001, "amount_received": 10_001},
    ],
    ids=["less", "currency", "more"],
)
def test_a_capture_that_differs_moves_nothing(world: Scene, changed: dict[str, object]) -> None:
    """Invariant 31: amount or currency other than the order's; a person looks."""
    made, theirs = opened(world)
    [(said, why)] = heard(world, captured(theirs, **changed))
    assert said == "FAILED"
    assert theirs.provider_id in why
    assert state(world.owner, "payments", made.payment) == "PENDING"
    assert findings(world.owner) == ["event-failed", "order-mismatch"]
    assert_sound(world.owner)


@OF_RAZORPAY
def test_an_event_that_names_another_order_of_ours_moves_nothing(world: Scene) -> None:
    """Invariant 31: the gateway's name leads to one order, the reference to another."""
    first, theirs = opened(world)
    second, other = opened(world)
    strange = order_paid(theirs)
    body = strange.body.replace(str(theirs.reference).encode(), str(other.reference).encode())
    [(said, _)] = heard(world, raw(body, strange.type, provider="razorpay", entity="x"))
    assert said == "FAILED"
    assert {ends(world, one)[0] for one in (first, second)} == {"PENDING"}


@OF_RAZORPAY
def test_a_second_capture_of_one_order_is_found(world: Scene) -> None:
    """Its money was taken twice, and one of it must be given back by a person."""
    made, theirs = opened(world)
    heard(world, captured(theirs))
    [(said, _)] = heard(world, captured(theirs, id="pay_second"))
    assert said == "FAILED"
    assert findings(world.owner) == ["event-failed", "payment-captured-twice"]
    assert ends(world, made) == PAID
    assert order(world.owner, made.order).captured_as == capture_of(theirs)


def test_one_that_contradicts_stops_no_other(world: Scene) -> None:
    (bad, theirs), (good, others) = opened(world), opened(world)
    told = heard(world, captured(theirs, amount=1, amount_received=1), captured(others))
    assert [said for said, _ in told] == ["FAILED", "APPLIED"]
    assert ends(world, good) == PAID
    assert ends(world, bad)[0] == "PENDING"


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"payload": {"payment": 7}}', b"\xff"])
def test_what_cannot_be_read_is_found(world: Scene, body: bytes) -> None:
    provider = world.fakes.payments.provider
    kind = "payment.captured" if provider == "razorpay" else "payment_intent.succeeded"
    [(said, why)] = heard(world, raw(body, kind, provider=provider))
    assert (said, why.startswith("unreadable: ")) == ("FAILED", True)


def test_payouts_and_orders_in_one_set_are_heard_in_two_transactions(world: Scene) -> None:
    """Each locks the books last: what is about the one does not wait for the other with them in hand."""
    made, theirs = opened(world)
    receive(
        world.owner, [captured(theirs), raw(b'{"event": "x"}', "payout.updated"), refused(theirs)]
    )
    run = world.run(APPLY)
    assert run.tally["processed"] == 3
    assert ends(world, made) == PAID


def test_an_event_replayed_by_a_person_changes_nothing(world: Scene) -> None:
    made, theirs = opened(world)
    heard(world, captured(theirs))
    change(world.owner, "UPDATE inbox SET state = 'RECEIVED', outcome = NULL")
    change(world.owner, "INSERT INTO work (job, subject) SELECT 'webhooks.apply', id FROM inbox")
    world.run(APPLY)
    assert ends(world, made) == PAID
    assert len(rows(world.owner, "SELECT FROM entries WHERE type = 'booking.paid'")) == 1
