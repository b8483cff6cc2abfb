"""What every provider's client does alike: each call ends in time and says no more than is known."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Self

import httpx
import structlog

from domain.answers import (
    Accepted,
    Answer,
    Balance,
    Found,
    Funds,
    LookUp,
    LookUpFailed,
    NotSent,
    ProviderPayout,
    Report,
    Unknown,
)
from domain.errors import UnreachableError
from domain.ports import FrozenRequest, PayoutOrder, Sought
from domain.statements import StatementLine
from workers.gateways.classify import Dialect, classify_failure, classify_reply
from workers.gateways.http import Http, Reply
from workers.gateways.pages import Pages, ReadFailedError, Under
from workers.gateways.statements import TooManyLinesError
from workers.gateways.windows import TooManyPagesError, created_between, reports_of, whole_list

LOOK_UP_GRACE: Final = timedelta(minutes=5)
"""How long a search by reference may find nothing (RazorpayX, best practices: ask after 5 min)."""

log = structlog.get_logger()


class Client(ABC):
    """One account at a provider, over one pool of connections; thread-safe. A `Bank`."""

    provider: str
    key_window: timedelta
    dialect: Dialect

    def __init__(
        self,
        *,
        account: str,
        http: Http,
        pages: Pages,
        timeout_seconds: float,
        look_up_grace: timedelta,
    ) -> None:
        self.account = account
        self.look_up_grace = look_up_grace
        self._http = http
        self._pages = pages
        self._timeout_seconds = timeout_seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pool."""
        self._http.close()

    @abstractmethod
    def freeze(self, order: PayoutOrder) -> str:
        """Return the exact request body for `order`; raises `BadInputError` naming a bad field."""

    @abstractmethod
    def _key_fault(self, key: str) -> str | None:
        """Return the provider's rule that `key` breaks, or None."""

    @abstractmethod
    def _send(self, request: FrozenRequest, until: float) -> Reply:
        """Send `request` once under its key before `until`; raises `httpx.HTTPError`."""

    def submit(self, request: FrozenRequest) -> Answer:
        """Send `request` once under its key."""
        if fault := self._key_fault(request.key):
            return NotSent(reason=f"the key breaks the provider's rule: {fault}")
        started = time.monotonic()
        try:
            reply = self._send(request, self._until())
        except httpx.HTTPError as error:
            return self._logged(request, classify_failure(error), None, started)
        answer = classify_reply(self.dialect, request, reply, datetime.now(UTC))
        return self._logged(request, answer, reply.status, started)

    def find(self, reference: str) -> LookUp:
        """Return every payout under exactly `reference`: all pages, within one time-out."""
        until = self._until()
        try:
            payouts = whole_list(self._pages, Under(reference), lambda: until)
        except ReadFailedError as error:
            return error.failed
        except TooManyPagesError:
            return LookUpFailed(reason="the search by reference does not end")
        return Found(payouts=tuple(payout for payout in payouts if payout.reference == reference))

    def fetch(self, sought: Sequence[Sought]) -> dict[str, Report]:
        """Return what is known of `sought` by reference, in few reads, within one time-out.

        Absent: the provider has no payout of its id. What time or a failed read left out says so.
        """
        reports = reports_of(self._pages, sought, self._until())
        return {
            item.reference: reports[item.provider_id]
            for item in sought
            if item.provider_id in reports
        }

    def payouts_between(self, start: datetime, end: datetime) -> Iterator[ProviderPayout]:
        """Yield every payout created in `[start, end)`, oldest first; a time-out for each read.

        Times are whole seconds at the provider. Raises `UnreachableError` when a read fails.
        """
        first, last = int(start.timestamp()), -int(-end.timestamp() // 1)
        try:
            for payout in created_between(self._pages, first, last, self._until):
                if start <= payout.created_at < end:
                    yield payout
        except (ReadFailedError, TooManyPagesError) as error:
            raise UnreachableError(f"{self.provider}: no list of payouts: {error}") from error

    @abstractmethod
    def _lines(self, start: datetime, end: datetime) -> Iterator[StatementLine]:
        """Yield lines of at least the whole seconds from `start` to `end`, oldest first.

        Raises `ReadFailedError` or `TooManyLinesError`.
        """

    def statement(self, start: datetime, end: datetime) -> Iterator[StatementLine]:
        """Yield every line of the statement in `[start, end)`, oldest first; a time-out for each read.

        Times are whole seconds at the provider. Raises `UnreachableError` when a read fails.
        """
        try:
            for line in self._lines(start, end):
                if start <= line.occurred_at < end:
                    yield line
        except (ReadFailedError, TooManyLinesError) as error:
            raise UnreachableError(f"{self.provider}: no statement: {error}") from error

    def balance(self) -> Funds:
        """Return what the account can pay out."""
        try:
            return Balance(available=self._pages.balance(self._until()))
        except ReadFailedError as error:
            return error.failed

    def check(self) -> LookUp:
        """Read the balance: `Found(payouts=())` when URL, credentials and account work."""
        try:
            self._pages.check(self._until())
        except ReadFailedError as error:
            return error.failed
        return Found(payouts=())

    def _until(self) -> float:
        return time.monotonic() + self._timeout_seconds

    def _logged(
        self, request: FrozenRequest, answer: Answer, status: int | None, started: float
    ) -> Answer:
        """Log how an answer was classified: identifiers and times, never a body or a secret."""
        tell = log.debug if isinstance(answer, Accepted) else log.warning
        tell(
            "gateway.answered",
            provider=self.provider,
            reference=request.reference,
            answer=type(answer).__name__,
            status=status,
            suspect=isinstance(answer, Unknown) and answer.suspect,
            elapsed_seconds=round(time.monotonic() - started, 4),
        )
        return answer
