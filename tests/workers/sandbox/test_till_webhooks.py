"""What happens at the till is told as Razorpay and Stripe tell it: signed, readable, and mishandled as was ordered."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from uuid import uuid4

import pytest

from domain.checkout_answers import ProviderRefund, RefundStatus, Taken
from domain.events import read
from domain.ports import FrozenCall, OrderAsk, Payments, RefundAsk
from domain.telling import DisputeStatus, NothingToDo, Telling, ToldDispute, ToldOrder
from domain.webhooks import razorpay, stripe
from domain.webhooks.providers import Provider
from domain.webhooks.refusals import SignatureWrongError
from tests.fakes.sandbox import RunningSandbox
from tests.workers.sandbox.listeners import SECONDS_MAX, SECRET, listening, telling
from workers.sandbox.faults import Fault

AMOUNT = 125_050


@dataclass(frozen=True)
class Till:
    """A gateway of the sandbox, and what it tells."""

    gateway: Payments
    sandbox: RunningSandbox
    heard: SimpleQueue[tuple[bytes, dict[str, str]]]

    def ordered(self) -> tuple[str, str]:
        """An order: what the gateway calls it, and our reference."""
        asked = OrderAsk(reference=str(uuid4()), amount_minor=AMOUNT, currency="INR")
        body = self.gateway.freeze_order(asked)
        request = FrozenCall(uuid4().hex, body, asked.reference, AMOUNT, "INR")
        answer = self.gateway.create_order(request)
        assert isinstance(answer, Taken)
        return answer.thing.provider_id, asked.reference

    def paid(self) -> tuple[str, str]:
        """An order that was paid, with what its capture is called."""
        order, _ = self.ordered()
        return order, self.sandbox.capture(order)

    def disputed(self, order: str, status: str) -> None:
        """Its customer disputes it, or their bank decides."""
        asked = {"order": order, "status": status}
        self.sandbox.http.post("/_sandbox/disputes", json=asked).raise_for_status()

    def next(self, secret: str = SECRET) -> tuple[str, Telling]:
        """The next event as the product reads it, once it has checked it: its type, and what it tells."""
        raw, headers = self.heard.get(timeout=SECONDS_MAX)
        if self.gateway.provider == "stripe":
            event = stripe.verify(raw, headers, [secret], datetime.now(UTC))
        else:
            event = razorpay.verify(Provider.RAZORPAY, raw, headers, [secret])
        return event.type, read(event.provider, event.type, event.body)

    def kind_of_next(self) -> type:
        """What kind of telling the next event is, or the error of one that is not signed."""
        try:
            return type(self.next()[1])
        except SignatureWrongError as error:
            return type(error)

    def until(self, kind: type) -> Telling:
        """The next one that tells this."""
        while True:
            _, told = self.next()
            if isinstance(told, kind):
                return told


@pytest.fixture(params=["razorpay", "stripe"])
def till(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Till]:
    with ExitStack() as stack:
        url, heard = stack.enter_context(listening())
        where = {request.param: url}
        sandbox = stack.enter_context(telling(tmp_path, "", process_seconds=0.1, **where))
        made = sandbox.stripe_payments if request.param == "stripe" else sandbox.razorpay
        with made() as gateway:
            yield Till(gateway, sandbox, heard)


def test_a_capture_is_told_with_what_it_is_called(till: Till) -> None:
    order, reference = till.ordered()
    capture = till.sandbox.capture(order)
    kinds = ["payment.captured", "order.paid"]
    if till.gateway.provider == "stripe":
        kinds = ["payment_intent.succeeded"]
    heard = dict(till.next() for _ in kinds)  # in whatever order
    assert set(heard) == set(kinds)
    for told in heard.values():
        assert isinstance(told, ToldOrder)
        assert (told.order_id, told.captured_as, told.amount_minor) == (order, capture, AMOUNT)
    last = heard[kinds[-1]]
    assert isinstance(last, ToldOrder)
    assert last.reference == reference


def test_a_try_that_was_refused_is_told_and_ends_nothing(till: Till) -> None:
    order, _ = till.ordered()
    asked = till.sandbox.http.post("/_sandbox/failures", json={"order": order})
    asked.raise_for_status()
    kind, told = till.next()
    assert kind in {"payment.failed", "payment_intent.payment_failed"}
    assert isinstance(told, NothingToDo)


def test_a_refund_is_told_as_it_begins_and_ends(till: Till) -> None:
    _, capture = till.paid()
    asked = RefundAsk(
        reference=str(uuid4()), payment_id=capture, amount_minor=50_000, currency="INR"
    )
    body = till.gateway.freeze_refund(asked)
    request = FrozenCall(uuid4().hex, body, asked.reference, 50_000, "INR", capture)
    assert isinstance(till.gateway.refund(request), Taken)
    heard: dict[RefundStatus, ProviderRefund] = {}
    for _ in range(2):  # in whatever order
        told = till.until(ProviderRefund)
        assert isinstance(told, ProviderRefund)
        heard[told.status] = told
    assert set(heard) == {RefundStatus.PENDING, RefundStatus.SUCCEEDED}
    last = heard[RefundStatus.SUCCEEDED]
    assert (last.reference, last.payment_id) == (asked.reference, capture)


@pytest.mark.parametrize(
    ("word", "status"),
    [("won", DisputeStatus.WON), ("lost", DisputeStatus.LOST), ("closed", DisputeStatus.WON)],
)
def test_a_dispute_is_told_as_it_opens_and_ends(
    till: Till, word: str, status: DisputeStatus
) -> None:
    order, capture = till.paid()
    till.disputed(order, "open")
    opened = till.until(ToldDispute)
    till.disputed(order, word)
    ended = till.until(ToldDispute)
    assert isinstance(opened, ToldDispute)
    assert isinstance(ended, ToldDispute)
    assert (opened.status, ended.status) == (DisputeStatus.OPEN, status)
    assert (ended.captured_as, ended.amount_minor) == (capture, AMOUNT)


@pytest.mark.parametrize("till", ["stripe"], indirect=True)
def test_what_the_gateway_cancelled_is_told(till: Till) -> None:
    order, _ = till.ordered()
    till.gateway.cancel_order(order)
    told = till.until(ToldOrder)
    assert isinstance(told, ToldOrder)
    assert (told.order_id, told.captured_as) == (order, None)


def test_an_event_may_be_told_twice_and_one_that_was_forged_is_not_signed(till: Till) -> None:
    order, reference = till.ordered()
    till.sandbox.order(Fault.EVENT_FORGED, reference=reference)
    till.sandbox.capture(order)
    heard: set[type] = set()
    while not heard >= {SignatureWrongError, ToldOrder}:  # they are on their way together
        heard.add(till.kind_of_next())
    assert heard >= {SignatureWrongError, ToldOrder}


def test_what_is_not_paid_is_disputed_by_nobody(till: Till) -> None:
    order, _ = till.ordered()
    asked = till.sandbox.http.post("/_sandbox/disputes", json={"order": order})
    assert asked.status_code == 400
    asked = till.sandbox.http.post("/_sandbox/disputes", json={"order": order, "status": "odd"})
    assert asked.json() == {"error": "status: must be one of open, won, lost, closed"}
