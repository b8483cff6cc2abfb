"""What the clients of payment gateways do alike: one bounded exchange, and what its reply proves."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Self

import httpx
import structlog

from domain.answers import Answer, LookUpFailed, NotSent, Rejected, Unknown
from domain.checkout_answers import (
    Listed,
    OrderAnswer,
    OrderLookUp,
    ProviderOrder,
    ProviderRefund,
    RefundAnswer,
    RefundLookUp,
    Taken,
    ThingT,
)
from domain.errors import UnreachableError
from domain.ports import FrozenCall
from workers.gateways.classify import (
    OK_FIRST,
    OK_LAST,
    Dialect,
    classify_failure as failed,
    document,
    judge_refusal,
)
from workers.gateways.client import LOOK_UP_GRACE
from workers.gateways.http import Http, Reply
from workers.gateways.pages import ReadFailedError
from workers.gateways.reads import Patience

PAGES_MAX = 10
"""Pages of 100: nobody gives one payment back in a thousand parts."""

log = structlog.get_logger()

Read = Callable[[object], ThingT | None]
Exchange = Callable[[float], Reply]
"""Makes one exchange before an instant (monotonic seconds), or raises `httpx.HTTPError`."""


class EndlessListError(ReadFailedError):
    """A list of more than `PAGES_MAX` pages: nothing is concluded from a part of it."""


class PaymentsClient(ABC):
    """One account at a gateway, over one pool of connections; thread-safe. Implements `Payments` with its subclass."""

    provider: str
    key_window: timedelta
    orders_are_keyed: bool
    orders_are_forgotten: bool
    dialect: Dialect
    look_up_grace = LOOK_UP_GRACE

    def __init__(self, *, account: str, http: Http, timeout_seconds: float) -> None:
        self.account = account
        self._http = http
        self._timeout_seconds = timeout_seconds
        self._patience = Patience(self.provider)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pool."""
        self._http.close()

    @abstractmethod
    def _send_order(self, request: FrozenCall, until: float) -> Reply: ...

    @abstractmethod
    def _send_refund(self, request: FrozenCall, until: float) -> Reply: ...

    @abstractmethod
    def _orders(self, reference: str, until: float) -> list[ProviderOrder]: ...

    @abstractmethod
    def _refunds(self, payment_id: str, until: float) -> list[ProviderRefund]: ...

    @abstractmethod
    def _refunds_made(self, first: int, end: int, until: float) -> list[ProviderRefund]:
        """Every refund made in the unix seconds `[first, end)`. Raises `ReadFailedError`."""

    @abstractmethod
    def _read_order(self, entity: object) -> ProviderOrder | None: ...

    @abstractmethod
    def _read_refund(self, entity: object) -> ProviderRefund | None: ...

    def create_order(self, request: FrozenCall) -> OrderAnswer:
        """Send the request for an order once."""
        return self._call(lambda until: self._send_order(request, until), self._read_order, request)

    def refund(self, request: FrozenCall) -> RefundAnswer:
        """Send the request for a refund once under its key."""
        return self._call(
            lambda until: self._send_refund(request, until), self._read_refund, request
        )

    def find_orders(self, reference: str) -> OrderLookUp:
        """Return every order under exactly `reference`."""
        try:
            found = self._orders(reference, self._until())
        except ReadFailedError as error:
            return error.failed
        return Listed(tuple(order for order in found if order.reference == reference))

    def find_refunds(self, payment_id: str, reference: str) -> RefundLookUp:
        """Return every refund of a capture under exactly `reference`."""
        try:
            found = self._refunds(payment_id, self._until())
        except ReadFailedError as error:
            return error.failed
        return Listed(tuple(refund for refund in found if refund.reference == reference))

    def refunds_between(self, start: datetime, end: datetime) -> Iterator[ProviderRefund]:
        """Yield every refund made in `[start, end)`: too long a list is cut in two. Raises `UnreachableError`."""
        windows = [(int(start.timestamp()), -int(-end.timestamp() // 1))]
        while windows:
            first, last = windows.pop()
            middle = (first + last) // 2
            try:
                yield from self._refunds_made(first, last, self._until())
            except EndlessListError as error:
                if middle == first:
                    raise UnreachableError(
                        f"{self.provider}: no list of refunds: {error}"
                    ) from error
                windows += [(middle, last), (first, middle)]
            except ReadFailedError as error:
                raise UnreachableError(f"{self.provider}: no list of refunds: {error}") from error

    def _until(self) -> float:
        return time.monotonic() + self._timeout_seconds

    def _call(
        self, send: Exchange, read: Read[ThingT], request: FrozenCall | None
    ) -> Taken[ThingT] | Rejected | NotSent | Unknown:
        """Make one call and say what it proves; `request` is what its answer is held against."""
        try:
            reply = send(self._until())
        except httpx.HTTPError as error:
            return self._logged(request, _not_accepted(failed(error)), None)
        if not OK_FIRST <= reply.status <= OK_LAST:
            refused = judge_refusal(self.dialect, reply, datetime.now(UTC))
            return self._logged(request, _not_accepted(refused), reply.status)
        thing = read(document(reply))
        if thing is None:
            return Unknown(reason=f"http {reply.status} without a readable answer")
        if request is not None and (wrong := contradiction(thing, request)):
            return Unknown(reason=wrong, suspect=True)
        return Taken(thing)

    def _logged(
        self, request: FrozenCall | None, answer: Rejected | NotSent | Unknown, status: int | None
    ) -> Rejected | NotSent | Unknown:
        log.warning(
            "gateway.answered",
            provider=self.provider,
            reference=request.reference if request else None,
            answer=type(answer).__name__,
            status=status,
        )
        return answer

    def _pages(
        self,
        next_page: Callable[[list[ThingT]], tuple[Mapping[str, object], object]],
        read: Read[ThingT],
    ) -> list[ThingT]:
        """Read a list to its end: `next_page` answers with a page, and its entries, behind what was read."""
        things: list[ThingT] = []
        for _ in range(PAGES_MAX):
            whole, entries = next_page(things)
            if not isinstance(entries, list):
                raise ReadFailedError(LookUpFailed(reason="a page without items"))
            found = [thing for entry in entries if (thing := read(entry))]
            if len(found) != len(entries):
                raise ReadFailedError(LookUpFailed(reason="a page with an unreadable item"))
            things += found
            if not self._has_more(whole, len(entries)):
                return things
        raise EndlessListError(LookUpFailed(reason="the list does not end"))

    @abstractmethod
    def _has_more(self, page: Mapping[str, object], count: int) -> bool: ...


def contradiction(thing: ProviderOrder | ProviderRefund, request: FrozenCall) -> str | None:
    """Return how an answer contradicts `request`, naming the fields but no values, or None."""
    told = {
        "amount": (thing.amount_minor, request.amount_minor),
        "currency": (thing.currency, request.currency),
        "reference": (thing.reference, request.reference),
    }
    if isinstance(thing, ProviderRefund):
        told["payment"] = (thing.payment_id, request.payment_id)
    wrong = [field for field, (theirs, ours) in told.items() if theirs != ours]
    return f"the answer has another {', '.join(wrong)}" if wrong else None


def _not_accepted(answer: Answer) -> Rejected | NotSent | Unknown:
    if isinstance(answer, Rejected | NotSent | Unknown):
        return answer
    raise AssertionError("what is no success is never accepted")
