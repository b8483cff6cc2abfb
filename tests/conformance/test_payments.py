"""What any `Payments` must do: one suite for the real clients on a real server, and for the fake."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

import pytest

from domain.answers import LookUpFailed, NotSent, Rejected, Unknown
from domain.checkout_answers import (
    Listed,
    OrderStatus,
    ProviderOrder,
    ProviderRefund,
    RefundStatus,
    Taken,
)
from domain.effects import as_evidence, effect_key
from domain.errors import BadInputError, UnreachableError
from domain.ports import FrozenCall, OrderAsk, Payments, RefundAsk
from tests.fakes.payments import FakePayments
from tests.fakes.sandbox import running
from workers.sandbox.faults import Fault
from workers.sandbox.settings import SandboxSettings

INSTALLATION = UUID("9b5f0e1c-5f1f-4c7e-9c0a-0d7f9f3c2b1a")
AMOUNT = 125_050
LOST = [Fault.DROP, Fault.ERROR, Fault.GARBAGE, Fault.TRUNCATE, Fault.HANG, Fault.DRIP]


class Hand(Protocol):
    """Pays at a gateway, and orders what goes wrong there."""

    def capture(self, order: str) -> str:
        """Let a customer pay an order; returns what the capture is called."""

    def order(self, fault: Fault, *, call: str = "submit", times: int = 1) -> None:
        """Let the next requests meet `fault`."""

    def advance(self, seconds: float) -> None:
        """Move the gateway's time ahead."""


@dataclass(frozen=True, slots=True)
class FakesHand:
    """That of the fake."""

    fake: FakePayments

    def capture(self, order: str) -> str:
        return self.fake.capture(order)

    def order(self, fault: Fault, *, call: str = "submit", times: int = 1) -> None:
        if call == "read":
            self.fake.unreachable = str(fault)
        else:
            self.fake.script(*[fault] * times)

    def advance(self, seconds: float) -> None:
        self.fake.advance(timedelta(seconds=seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A gateway, and the hand that pays there and orders what goes wrong."""

    gateway: Payments
    sandbox: Hand

    def ordered(self, reference: str = "") -> FrozenCall:
        asked = OrderAsk(reference=reference or str(uuid4()), amount_minor=AMOUNT, currency="INR")
        body = self.gateway.freeze_order(asked)
        return FrozenCall(key(asked.reference), body, asked.reference, AMOUNT, "INR")

    def captured(self) -> str:
        """An order that a customer paid; returns what its capture is called."""
        answer = self.gateway.create_order(self.ordered())
        assert isinstance(answer, Taken)
        return self.sandbox.capture(answer.thing.provider_id)

    def refunding(self, payment: str, amount: int = 50_000, reference: str = "") -> FrozenCall:
        asked = RefundAsk(
            reference=reference or str(uuid4()),
            payment_id=payment,
            amount_minor=amount,
            currency="INR",
        )
        body = self.gateway.freeze_refund(asked)
        return FrozenCall(key(asked.reference), body, asked.reference, amount, "INR", payment)

    def given(self, payment: str, request: FrozenCall) -> tuple[ProviderRefund, ...]:
        found = self.gateway.find_refunds(payment, request.reference)
        assert isinstance(found, Listed)
        return found.things


def key(reference: str) -> str:
    return effect_key(INSTALLATION, "payments", UUID(reference), 1).hex


@pytest.fixture(params=["razorpay", "stripe", "fake razorpay", "fake stripe"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    is_fake, _, name = request.param.rpartition(" ")
    if is_fake:
        fake = FakePayments(name)
        yield Stage(gateway=fake, sandbox=FakesHand(fake))
        return
    settings = SandboxSettings(storage=tmp_path / "bank.sqlite", slow_seconds=0.05)
    with running(settings) as sandbox:
        made = sandbox.stripe_payments if request.param == "stripe" else sandbox.razorpay
        with made(timeout_seconds=2.0) as gateway:
            yield Stage(gateway=gateway, sandbox=sandbox)


def test_an_order_is_what_was_asked_for_and_is_found_by_its_reference(stage: Stage) -> None:
    request = stage.ordered()
    answer = stage.gateway.create_order(request)
    assert isinstance(answer, Taken)
    order = answer.thing
    assert (order.amount_minor, order.currency, order.reference) == (
        AMOUNT,
        "INR",
        request.reference,
    )
    assert order.status is OrderStatus.OPEN
    found = stage.gateway.find_orders(request.reference)
    assert isinstance(found, Listed)
    assert [one.provider_id for one in found.things] == [order.provider_id]
    assert stage.gateway.find_orders(str(uuid4())) == Listed(())


def test_an_order_that_was_paid_says_by_what(stage: Stage) -> None:
    made = stage.gateway.create_order(stage.ordered())
    assert isinstance(made, Taken)
    payment = stage.sandbox.capture(made.thing.provider_id)
    told = stage.gateway.fetch_order(made.thing.provider_id)
    assert isinstance(told, ProviderOrder)
    assert (told.status, told.payment_id) == (OrderStatus.PAID, payment)


def test_an_order_the_gateway_never_made_is_none(stage: Stage) -> None:
    assert stage.gateway.fetch_order("order_or_intent_of_nobody") is None


def test_an_order_that_was_paid_is_not_cancelled(stage: Stage) -> None:
    made = stage.gateway.create_order(stage.ordered())
    assert isinstance(made, Taken)
    stage.sandbox.capture(made.thing.provider_id)
    assert isinstance(stage.gateway.cancel_order(made.thing.provider_id), Rejected)
    told = stage.gateway.fetch_order(made.thing.provider_id)
    assert isinstance(told, ProviderOrder)
    assert told.status is OrderStatus.PAID


def test_an_order_is_cancelled_once_and_by_a_gateway_that_forgets_none_never(stage: Stage) -> None:
    made = stage.gateway.create_order(stage.ordered())
    assert isinstance(made, Taken)
    first = stage.gateway.cancel_order(made.thing.provider_id)
    assert isinstance(stage.gateway.cancel_order(made.thing.provider_id), Rejected)
    told = stage.gateway.fetch_order(made.thing.provider_id)
    assert isinstance(told, ProviderOrder)
    if stage.gateway.provider == "razorpay":
        assert isinstance(first, Rejected)
        assert first.code == "unsupported"
        assert told.status is OrderStatus.OPEN
    else:
        assert isinstance(first, Taken)
        assert {first.thing.status, told.status} == {OrderStatus.CLOSED}


@pytest.mark.parametrize("fault", LOST)
def test_an_order_whose_reply_was_lost_is_found_and_never_made_twice(
    stage: Stage, fault: Fault
) -> None:
    request = stage.ordered()
    stage.sandbox.order(fault)
    assert isinstance(stage.gateway.create_order(request), Unknown)
    found = stage.gateway.find_orders(request.reference)
    assert isinstance(found, Listed)
    assert len(found.things) == 1


def test_a_refund_is_what_was_asked_for(stage: Stage) -> None:
    payment = stage.captured()
    request = stage.refunding(payment)
    answer = stage.gateway.refund(request)
    assert isinstance(answer, Taken)
    refund = answer.thing
    assert (refund.amount_minor, refund.payment_id) == (50_000, payment)
    assert refund.reference == request.reference
    assert refund.status is RefundStatus.PENDING
    stage.sandbox.advance(10)
    [later] = stage.given(payment, request)
    assert (later.provider_id, later.status) == (refund.provider_id, RefundStatus.SUCCEEDED)


def test_refunds_are_listed_by_when_they_were_made_whatever_they_are_of(stage: Stage) -> None:
    """TRAP: what a restored database forgot has no reference here to be looked for by."""
    made = []
    for _ in range(2):
        for amount in (10_000, 20_000):
            answer = stage.gateway.refund(stage.refunding(stage.captured(), amount))
            assert isinstance(answer, Taken)
            made.append(answer.thing)
        stage.sandbox.advance(10)
    first, last = (made[n].created_at.replace(microsecond=0) for n in (0, -1))
    second = timedelta(seconds=1)

    def listed(start: datetime, end: datetime) -> set[tuple[str, int, str]]:
        found = stage.gateway.refunds_between(start, end)
        return {(one.provider_id, one.amount_minor, one.payment_id) for one in found}

    told = [(one.provider_id, one.amount_minor, one.payment_id) for one in made]
    assert listed(first, last + second) == set(told)
    assert listed(last - second, last + second) >= {told[-1]}
    assert listed(last - second, last + second).isdisjoint(told[:2])
    stage.sandbox.order(Fault.ERROR, call="read", times=20)
    with pytest.raises(UnreachableError):
        list(stage.gateway.refunds_between(first, last + second))


def test_a_refund_that_fails_says_so(stage: Stage) -> None:
    payment = stage.captured()
    stage.sandbox.order(Fault.FAIL)
    request = stage.refunding(payment)
    assert isinstance(stage.gateway.refund(request), Taken)
    stage.sandbox.advance(10)
    assert [one.status for one in stage.given(payment, request)] == [RefundStatus.FAILED]


def test_the_same_key_and_body_are_the_same_refund(stage: Stage) -> None:
    payment = stage.captured()
    request = stage.refunding(payment)
    first, second = stage.gateway.refund(request), stage.gateway.refund(request)
    assert isinstance(first, Taken)
    assert isinstance(second, Taken)
    assert first.thing.provider_id == second.thing.provider_id
    assert len(stage.given(payment, request)) == 1


def test_the_same_key_with_another_amount_gives_nothing_more(stage: Stage) -> None:
    payment, reference = stage.captured(), str(uuid4())
    request = stage.refunding(payment, 50_000, reference)
    stage.gateway.refund(request)
    drifted = stage.refunding(payment, 50_001, reference)
    assert isinstance(as_evidence(stage.gateway.refund(drifted), 2), Unknown)
    assert [one.amount_minor for one in stage.given(payment, request)] == [50_000]


@pytest.mark.parametrize("fault", LOST)
def test_a_refund_whose_reply_was_lost_is_unknown_and_found_by_a_look_up(
    stage: Stage, fault: Fault
) -> None:
    payment = stage.captured()
    request = stage.refunding(payment)
    stage.sandbox.order(fault)
    answer = stage.gateway.refund(request)
    assert isinstance(answer, Unknown)
    assert not answer.suspect
    assert len(stage.given(payment, request)) == 1


@pytest.mark.parametrize("fault", [Fault.WRONG_AMOUNT, Fault.WRONG_REFERENCE])
def test_an_answer_that_contradicts_the_request_is_suspect(stage: Stage, fault: Fault) -> None:
    payment = stage.captured()
    stage.sandbox.order(fault)
    answer = stage.gateway.refund(stage.refunding(payment))
    assert isinstance(answer, Unknown)
    assert answer.suspect


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (Fault.REFUSE, Rejected),
        (Fault.UNAUTHORISED, NotSent),
        (Fault.FORBIDDEN, NotSent),
        (Fault.RATE_LIMIT, Unknown),
        (Fault.ERROR_BEFORE, Unknown),
        (Fault.RESET, Unknown),
    ],
)
def test_a_refund_that_was_not_given_says_what_is_known(
    stage: Stage, fault: Fault, answer: type
) -> None:
    payment = stage.captured()
    request = stage.refunding(payment)
    stage.sandbox.order(fault)
    assert isinstance(stage.gateway.refund(request), answer)
    assert stage.given(payment, request) == ()


def test_more_than_was_captured_is_refused(stage: Stage) -> None:
    payment = stage.captured()
    stage.gateway.refund(stage.refunding(payment, AMOUNT - 10_000))
    assert isinstance(stage.gateway.refund(stage.refunding(payment, 10_001)), Rejected)
    assert isinstance(stage.gateway.refund(stage.refunding(payment, 10_000)), Taken)


def test_every_page_of_refunds_is_read(stage: Stage) -> None:
    payment = stage.captured()
    requests = [stage.refunding(payment, 100) for _ in range(101)]
    assert all(isinstance(stage.gateway.refund(request), Taken) for request in requests)
    assert len(stage.given(payment, requests[0])) == 1
    assert len(stage.given(payment, requests[-1])) == 1


def test_a_look_up_that_does_not_work_finds_nothing_out(stage: Stage) -> None:
    payment = stage.captured()
    stage.sandbox.order(Fault.ERROR_BEFORE, call="read", times=100)
    assert isinstance(stage.gateway.find_refunds(payment, str(uuid4())), LookUpFailed)
    assert isinstance(stage.gateway.find_orders(str(uuid4())), LookUpFailed)


def test_what_the_gateway_would_refuse_is_never_frozen(stage: Stage) -> None:
    for asked in (
        OrderAsk(reference="r", amount_minor=0, currency="INR"),
        OrderAsk(reference="r", amount_minor=100, currency="inr"),
    ):
        with pytest.raises(BadInputError):
            stage.gateway.freeze_order(asked)
    refund = RefundAsk(reference="r", payment_id="p", amount_minor=0, currency="INR")
    with pytest.raises(BadInputError):
        stage.gateway.freeze_refund(refund)
