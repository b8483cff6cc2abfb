"""RazorpayX as a `Bank`: each call ends by its total time-out and says no more than is known."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Self

import httpx
import structlog

from domain.answers import (
    Accepted,
    Answer,
    Found,
    LookUp,
    LookUpFailed,
    NotSent,
    ProviderPayout,
    Report,
    Unknown,
)
from domain.errors import UnreachableError
from domain.ports import FrozenRequest, PayoutOrder, Sought
from domain.razorpayx import PROVIDER, fits_key, freeze
from workers.gateways.classify import KEY_HEADER, classify_failure, classify_reply
from workers.gateways.http import Http
from workers.gateways.reads import ReadFailedError, Reads
from workers.gateways.windows import TooManyPagesError, created_between, reports_of, whole_list

KEY_WINDOW: Final = timedelta(days=7)
"""How long a key may be sent again (RazorpayX, payout idempotency)."""
LOOK_UP_GRACE: Final = timedelta(minutes=5)
"""How long a search by reference may find nothing (RazorpayX, best practices: ask after 5 min)."""

log = structlog.get_logger()


class RazorpayX:
    """The RazorpayX payout API of one account, over one pool of connections; thread-safe."""

    provider = PROVIDER

    def __init__(
        self,
        *,
        url: str,
        key_id: str,
        key_secret: str,
        account_number: str,
        timeout_seconds: float,
        connections_max: int,
        look_up_grace: timedelta = LOOK_UP_GRACE,
    ) -> None:
        """Open no connection yet; raises `BadInputError` for an unsafe `url`."""
        self.account = account_number
        self.key_window = KEY_WINDOW
        self.look_up_grace = look_up_grace
        self._timeout_seconds = timeout_seconds
        self._http = Http(url=url, auth=(key_id, key_secret), connections_max=connections_max)
        self._reads = Reads(self._http, account_number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pool."""
        self._http.close()

    def freeze(self, order: PayoutOrder) -> str:
        """Return the exact request body for `order`; raises `BadInputError` naming a bad field."""
        return freeze(order, self.account)

    def submit(self, request: FrozenRequest) -> Answer:
        """Send `request` once under its key."""
        if not fits_key(request.key):
            return NotSent(
                reason="the key breaks the provider's rule: 4 to 36 of A-Z a-z 0-9 _ - space"
            )
        started = time.monotonic()
        try:
            reply = self._http.post(
                "payouts",
                request.body.encode(),
                {KEY_HEADER: request.key},
                self._until(),
            )
        except httpx.HTTPError as error:
            return _logged(request, classify_failure(error), None, started)
        answer = classify_reply(request, reply, datetime.now(UTC))
        return _logged(request, answer, reply.status, started)

    def find(self, reference: str) -> LookUp:
        """Return every payout under exactly `reference`: all pages, within one time-out."""
        until = self._until()
        try:
            payouts = whole_list(self._reads, {"reference_id": reference}, lambda: until)
        except ReadFailedError as error:
            return error.failed
        except TooManyPagesError:
            return LookUpFailed(reason="the search by reference does not end")
        return Found(payouts=tuple(payout for payout in payouts if payout.reference == reference))

    def fetch(self, sought: Sequence[Sought]) -> dict[str, Report]:
        """Return what is known of `sought` by reference, in few reads, within one time-out.

        Absent: the provider has no payout of its id. What time or a failed read left out says so.
        """
        reports = reports_of(self._reads, sought, self._until())
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
            for payout in created_between(self._reads, first, last, self._until):
                if start <= payout.created_at < end:
                    yield payout
        except (ReadFailedError, TooManyPagesError) as error:
            raise UnreachableError(f"razorpayx: no list of payouts: {error}") from error

    def check(self) -> LookUp:
        """Read the balance: `Found(payouts=())` when URL, credentials and address work."""
        try:
            self._reads.balances(self._until())
        except ReadFailedError as error:
            return error.failed
        return Found(payouts=())

    def _until(self) -> float:
        return time.monotonic() + self._timeout_seconds


def _logged(request: FrozenRequest, answer: Answer, status: int | None, started: float) -> Answer:
    """Log how an answer was classified: identifiers and times, never a body or a secret."""
    tell = log.debug if isinstance(answer, Accepted) else log.warning
    tell(
        "gateway.answered",
        provider=PROVIDER,
        reference=request.reference,
        answer=type(answer).__name__,
        status=status,
        suspect=isinstance(answer, Unknown) and answer.suspect,
        elapsed_seconds=round(time.monotonic() - started, 4),
    )
    return answer
