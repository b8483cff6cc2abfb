"""A payment gateway in memory: the `Payments` port with the rules held, answers to order, and calls that wait."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from domain import razorpay, stripe_intents
from domain.answers import LookUpFailed, NotSent, Rejected, Unknown
from domain.checkout_answers import (
    Listed,
    OrderAnswer,
    OrderLookUp,
    OrderStatus,
    ProviderOrder,
    ProviderRefund,
    RefundAnswer,
    RefundLookUp,
    RefundStatus,
    Taken,
    ThingT,
)
from domain.errors import UnreachableError
from domain.ports import FrozenCall, OrderAsk, RefundAsk
from tests.fakes.bank import SUSPECT, Hold
from workers.sandbox.faults import BEFORE, Fault

Answer = Rejected | NotSent | Unknown

INSTEAD: Final[dict[Fault, Answer]] = {
    Fault.REFUSE: Rejected(code="BAD_REQUEST_ERROR", reason="refused"),
    Fault.UNPROCESSABLE: Rejected(code="BAD_REQUEST_ERROR", reason="refused"),
    Fault.UNAUTHORISED: NotSent(reason="http 401", brake=True),
    Fault.FORBIDDEN: NotSent(reason="http 403", brake=True),
    Fault.RATE_LIMIT: Unknown(reason="http 429", retry_after_seconds=1.0),
}
"""What a client makes of each fault that comes before execution; of any other, unknown."""
REFUND_TAKES: Final = timedelta(seconds=1)
"""How long a refund is pending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One request that would have changed something, as it arrived: `order`, `cancel` or `refund`."""

    what: str
    key: str
    body: str
    reference: str


class FakePayments:
    """Makes orders and refunds and remembers everything, as Razorpay or Stripe do; safe to share between threads."""

    def __init__(
        self,
        provider: str = "razorpay",
        *,
        account: str = "fake",
        look_up_grace: timedelta = timedelta(0),
        index_lag: timedelta = timedelta(0),
    ) -> None:
        self.provider, self.account = provider, account
        self.orders_are_keyed = self.orders_are_forgotten = provider == "stripe"
        self.key_window = timedelta(hours=24)
        self.look_up_grace = look_up_grace
        self.index_lag = index_lag
        self.now = datetime.now(UTC)
        self.sends: list[Send] = []
        self.orders: list[ProviderOrder] = []
        self.refunds: list[ProviderRefund] = []
        self.unreachable: str | None = None
        """Set it, and every read fails with this reason, and every send never leaves."""
        self._keys: dict[str, tuple[str, str]] = {}
        """By key: the body that came with it, and what was made of it."""
        self._failing: set[str] = set()
        self._answers: deque[Fault | Answer | None] = deque()
        self._lock = threading.Lock()
        self._hold: Hold | None = None

    def __getstate__(self) -> dict[str, object]:
        """What a copy takes over: all but the lock and who waits."""
        return {n: v for n, v in self.__dict__.items() if n not in {"_lock", "_hold"}}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._lock, self._hold = threading.Lock(), None

    def script(self, *answers: Fault | Answer | None) -> None:
        """Order what the next sends meet: a fault, an answer that changes nothing, or None."""
        self._answers.extend(answers)

    @contextmanager
    def held(self) -> Iterator[Hold]:
        """Let every send wait, before anything is done, until released or the block's end."""
        self._hold = hold = Hold()
        try:
            yield hold
        finally:
            self._hold = None
            hold.release()

    def advance(self, by: timedelta) -> None:
        """Move the gateway's time ahead."""
        self.now += by

    def finish(self) -> None:
        """Bring every refund that is pending to its end."""
        self.advance(REFUND_TAKES)

    def fail_refund(self, name: str) -> None:
        """Let a refund have failed, though it may have been told as given before."""
        self._failing.add(name)

    def capture(self, order: str) -> str:
        """Let a customer pay an order; returns what the capture is called."""
        [found] = [one for one in self.orders if one.provider_id == order]
        assert found.status is OrderStatus.OPEN, found
        capture = order if self.orders_are_keyed else order.replace("order_", "pay_")
        self._put(
            replace(found, status=OrderStatus.PAID, raw_status="paid", payment_id=capture),
        )
        return capture

    def of(self, reference: object) -> list[ProviderOrder]:
        """The orders under a reference."""
        return [one for one in self.orders if one.reference == str(reference)]

    def freeze_order(self, ask: OrderAsk) -> str:
        return (
            stripe_intents.freeze_order(ask)
            if self.orders_are_keyed
            else razorpay.freeze_order(ask)
        )

    def create_order(self, request: FrozenCall) -> OrderAnswer:
        with self._sent("order", request.key, request.body, request.reference) as met:
            if isinstance(met, Answer):
                return met
            known = self._known(request, keyed=self.orders_are_keyed)
            if isinstance(known, Rejected):
                return known
            made = next((one for one in self.orders if one.provider_id == known), None)
            made = made or self._make_order(request)
            return _told(met, made)

    def fetch_order(self, provider_id: str) -> ProviderOrder | LookUpFailed | None:
        with self._lock:
            if self.unreachable:
                return LookUpFailed(reason=self.unreachable)
            return next((one for one in self.orders if one.provider_id == provider_id), None)

    def find_orders(self, reference: str) -> OrderLookUp:
        with self._lock:
            if self.unreachable:
                return LookUpFailed(reason=self.unreachable)
            seen = [
                one for one in self.of(reference) if one.created_at <= self.now - self.index_lag
            ]
            return Listed(tuple(seen))

    def cancel_order(self, provider_id: str) -> OrderAnswer:
        if not self.orders_are_keyed:
            return Rejected(code="unsupported", reason="Razorpay cancels no order")
        with self._sent("cancel", "", "", provider_id) as met:
            if isinstance(met, Answer):
                return met
            found = next((one for one in self.orders if one.provider_id == provider_id), None)
            if found is None or found.status is not OrderStatus.OPEN:
                return Rejected(code="payment_intent_unexpected_state", reason="not open")
            closed = replace(found, status=OrderStatus.CLOSED, raw_status="canceled")
            self._put(closed)
            return _told(met, closed)

    def freeze_refund(self, ask: RefundAsk) -> str:
        if self.orders_are_keyed:
            return stripe_intents.freeze_refund(ask)
        return razorpay.freeze_refund(ask)

    def refund(self, request: FrozenCall) -> RefundAnswer:
        with self._sent("refund", request.key, request.body, request.reference) as met:
            if isinstance(met, Answer):
                return met
            known = self._known(request, keyed=True)
            if isinstance(known, Rejected):
                return known
            if known is None:
                made = self._make_refund(request)
                if isinstance(made, Rejected):
                    return made
                known = made.provider_id
                if met is Fault.FAIL:
                    self._failing.add(known)
            [found] = [one for one in self.refunds if one.provider_id == known]
            return _told(met, self._by_now(found))

    def find_refunds(self, payment_id: str, reference: str) -> RefundLookUp:
        with self._lock:
            if self.unreachable:
                return LookUpFailed(reason=self.unreachable)
            found = [
                self._by_now(one)
                for one in self.refunds
                if (one.payment_id, one.reference) == (payment_id, reference)
                and one.created_at <= self.now - self.index_lag
            ]
            return Listed(tuple(found))

    def refunds_between(self, start: datetime, end: datetime) -> Iterator[ProviderRefund]:
        with self._lock:
            if self.unreachable:
                raise UnreachableError(self.unreachable)
            made = [one for one in self.refunds if start <= one.created_at < end]
            yield from map(self._by_now, made)

    @contextmanager
    def _sent(
        self, what: str, key: str, body: str, reference: str
    ) -> Iterator[Fault | Answer | None]:
        """Yield what a send meets: an answer instead of its execution, or a fault after it."""
        hold = self._hold
        if hold:
            hold.meet()
        with self._lock:
            if self.unreachable:
                yield NotSent(reason=self.unreachable)
                return
            self.sends.append(Send(what=what, key=key, body=body, reference=reference))
            ordered = self._answers.popleft() if self._answers else None
            if isinstance(ordered, Fault) and ordered in BEFORE:
                ordered = INSTEAD.get(ordered, Unknown(reason=str(ordered)))
            yield ordered

    def _known(self, request: FrozenCall, *, keyed: bool) -> str | Rejected | None:
        """What a key made before."""
        body, made = self._keys.get(request.key, (request.body, None)) if keyed else ("", None)
        if keyed and body != request.body:
            return Rejected(code="BAD_REQUEST_ERROR", reason="another body under the key")
        return made

    def _make_order(self, request: FrozenCall) -> ProviderOrder:
        prefix = "pi_" if self.orders_are_keyed else "order_"
        made = ProviderOrder(
            provider_id=f"{prefix}{len(self.orders) + 1:014d}",
            reference=request.reference,
            status=OrderStatus.OPEN,
            raw_status="created",
            amount_minor=request.amount_minor,
            currency=request.currency,
            payment_id=None,
            created_at=self.now.replace(microsecond=0),
        )
        self.orders.append(made)
        self._keys[request.key] = (request.body, made.provider_id)
        return made

    def _make_refund(self, request: FrozenCall) -> ProviderRefund | Rejected:
        paid = next((one for one in self.orders if one.payment_id == request.payment_id), None)
        given = sum(
            one.amount_minor
            for one in map(self._by_now, self.refunds)
            if one.payment_id == request.payment_id and one.status is not RefundStatus.FAILED
        )
        if paid is None or given + request.amount_minor > paid.amount_minor:
            return Rejected(code="BAD_REQUEST_ERROR", reason="more than was captured")
        made = ProviderRefund(
            provider_id=f"rfnd_{len(self.refunds) + 1:014d}",
            reference=request.reference,
            payment_id=request.payment_id,
            status=RefundStatus.PENDING,
            raw_status="pending",
            amount_minor=request.amount_minor,
            currency=request.currency,
            created_at=self.now.replace(microsecond=0),
        )
        self.refunds.append(made)
        self._keys[request.key] = (request.body, made.provider_id)
        return made

    def _by_now(self, refund: ProviderRefund) -> ProviderRefund:
        if self.now < refund.created_at + REFUND_TAKES:
            return refund
        if refund.provider_id in self._failing:
            return replace(refund, status=RefundStatus.FAILED, raw_status="failed")
        return replace(refund, status=RefundStatus.SUCCEEDED, raw_status="processed")

    def _put(self, order: ProviderOrder) -> None:
        self.orders = [
            order if one.provider_id == order.provider_id else one for one in self.orders
        ]


def _told(met: Fault | None, thing: ThingT) -> Taken[ThingT] | Unknown:
    """What the caller hears of what was done."""
    if met is None or met in {Fault.SLOW, Fault.FAIL}:
        return Taken(thing)
    return Unknown(reason=str(met), suspect=met in SUSPECT)
