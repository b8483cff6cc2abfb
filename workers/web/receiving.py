"""`POST /webhooks/{provider}`: read, verify, keep, answer. Nothing is done here that an event says.

An answer tells its sender no more than whether to send again. Whatever was wrong with a webhook, it
hears the same; the reason is in our log.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from enum import StrEnum
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.errors import ExpectedError
from domain.inbox import VerifiedEvent
from domain.webhooks.providers import Provider
from domain.webhooks.refusals import SignatureMissingError, WebhookRefusedError
from domain.webhooks.verify import SIGNED_IN, Verify
from workers.metrics import Metrics
from workers.web.bodies import TooLargeError, TooSlowError, read_body
from workers.web.keeping import Keeper
from workers.web.ringing import Ringer

BODY_BYTES_MAX: Final = 262_144
READ_SECONDS_MAX: Final = 5.0
AT_ONCE_MAX: Final = 256
"""Webhooks under way at once, which bounds the memory of their bodies: 64 MB."""
READ_FOR_ONE_MAX: Final = 64
"""Bodies that one address may be sending at once: a quarter of the places, so that no sender holds them all.

Not fewer, since a provider's burst, or what a proxy passes on, comes from one address."""
ASKS_OUTSIDE: Final = frozenset({Provider.PAYPAL})
"""Providers whose verification may have to fetch something, and must not hold up the others."""
FETCHERS: Final = 2

log = structlog.get_logger(__name__)


class Outcome(StrEnum):
    """What became of one webhook."""

    STORED = "stored"
    REPEATED = "repeated"
    """It was stored before: its sender has not heard so, or somebody replays it."""
    REFUSED = "refused"
    """No signature of the provider's over these bytes, or no event."""
    SLOW = "slow"
    LARGE = "large"
    UNCONFIGURED = "unconfigured"
    """There is no secret to check it with."""
    CROWDED = "crowded"
    UNSTORED = "unstored"
    """It is not known to be committed, or could not be checked now: to be sent again."""


STATUSES: Final = {
    Outcome.STORED: 200,
    Outcome.REPEATED: 200,
    Outcome.REFUSED: 400,
    Outcome.SLOW: 408,
    Outcome.LARGE: 413,
    Outcome.UNCONFIGURED: 503,
    Outcome.CROWDED: 503,
    Outcome.UNSTORED: 503,
}
WORDS: Final = {
    200: "received",
    400: "not accepted",
    404: "not found",
    408: "too slow",
    413: "too large",
    503: "try again",
}
UNREAD: Final = frozenset(
    {Outcome.SLOW, Outcome.LARGE, Outcome.UNCONFIGURED, Outcome.CROWDED, Outcome.REFUSED}
)
"""Answered before the body was read to its end: the connection is closed, or the rest would be waited for.

A refused one was read, unless it came without a signature; no answer tells which."""


class Receiver:
    """Takes webhooks of the providers there are `secrets` for."""

    def __init__(
        self,
        *,
        secrets: Mapping[Provider, Sequence[str]],
        verifiers: Mapping[Provider, Verify],
        keeper: Keeper,
        ringer: Ringer,
        metrics: Metrics,
        clock: Callable[[], datetime],
    ) -> None:
        self._secrets, self._verifiers = secrets, verifiers
        self._keeper, self._ringer = keeper, ringer
        self._metrics, self._clock = metrics, clock
        self._fetching = ThreadPoolExecutor(FETCHERS, thread_name_prefix="certificates")
        self._under_way = 0
        self._reading: Counter[str] = Counter()

    def route(self) -> Route:
        """Return where webhooks come to."""
        return Route("/webhooks/{provider}", self.receive, methods=["POST"])

    async def receive(self, request: Request) -> Response:
        """Answer one webhook."""
        try:
            provider = Provider(request.path_params["provider"])
        except ValueError:
            return _answer(404, close=True)
        outcome = await self._outcome(provider, request)
        self._metrics.webhook(provider.value, outcome.value)
        return _answer(STATUSES[outcome], close=outcome in UNREAD)

    def close(self) -> None:
        """End every thread after what it is doing."""
        self._fetching.shutdown()
        self._keeper.close()
        self._ringer.close()

    async def _outcome(self, provider: Provider, request: Request) -> Outcome:
        secrets = self._secrets.get(provider, ())
        if not secrets:
            return Outcome.UNCONFIGURED
        if not request.headers.get(SIGNED_IN[provider]):  # a stranger takes no place by it
            log.warning("webhook.refused", provider=provider, reason=SignatureMissingError.__name__)
            return Outcome.REFUSED
        sender = request.client.host if request.client else ""
        if self._under_way >= AT_ONCE_MAX or self._reading[sender] >= READ_FOR_ONE_MAX:
            return Outcome.CROWDED
        self._under_way += 1
        try:
            raw = await self._read(sender, request)
            event = await self._verified(provider, raw, request.headers, secrets)
            is_new = await self._keeper.keep(event)
        except TooLargeError:
            return Outcome.LARGE
        except TooSlowError:
            return Outcome.SLOW
        except WebhookRefusedError as error:
            log.warning("webhook.refused", provider=provider, reason=type(error).__name__)
            return Outcome.REFUSED
        except ExpectedError as error:
            log.warning("webhook.not_stored", provider=provider, error=str(error))
            return Outcome.UNSTORED
        finally:
            self._under_way -= 1
        if is_new:
            self._ringer.ask()
        return Outcome.STORED if is_new else Outcome.REPEATED

    async def _read(self, sender: str, request: Request) -> bytes:
        self._reading[sender] += 1
        try:
            return await read_body(request, bytes_max=BODY_BYTES_MAX, seconds_max=READ_SECONDS_MAX)
        finally:
            self._reading[sender] -= 1
            if not self._reading[sender]:
                del self._reading[sender]

    async def _verified(
        self, provider: Provider, raw: bytes, headers: Mapping[str, str], secrets: Sequence[str]
    ) -> VerifiedEvent:
        verify, now = self._verifiers[provider], self._clock()
        if provider not in ASKS_OUTSIDE:
            return verify(raw, headers, secrets, now)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._fetching, verify, raw, headers, secrets, now)


def _answer(status: int, *, close: bool) -> Response:
    """One shape for all: `{"status": …}`."""
    return JSONResponse(
        {"status": WORDS[status]}, status, headers={"Connection": "close"} if close else None
    )
