"""One read of a provider, tried again on named errors inside the time given."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import httpx
import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_any,
    wait_exponential,
)
from tenacity.stop import stop_base

from domain.answers import LookUpFailed, ProviderPayout
from workers.gateways.classify import REFUSES_US, TOO_MANY, document, retry_after_seconds
from workers.gateways.http import Reply
from workers.gateways.pages import ReadFailedError

ATTEMPTS_MAX: Final = 3
FIRST_WAIT_SECONDS: Final = 0.05
LAST_WAIT_SECONDS: Final = 0.5
OK: Final = 200
TROUBLED: Final = frozenset({500, 502, 503, 504})

log = structlog.get_logger()

Send = Callable[[], Reply]
"""Makes one exchange, within its time, or raises `httpx.HTTPError`."""


class TroubledError(httpx.HTTPError):
    """The provider answered a read with 500, 502, 503 or 504: worth another try."""


RETRIED: Final = (
    httpx.ConnectError,
    httpx.ReadError,
    httpx.WriteError,
    httpx.RemoteProtocolError,
    TroubledError,
)


class _OutOfTime(stop_base):
    """No time is left for the next try."""

    def __init__(self, until: float) -> None:
        self._until = until

    def __call__(self, retry_state: RetryCallState) -> bool:
        return time.monotonic() + retry_state.upcoming_sleep >= self._until


class Patience:
    """Reads of one provider: named in what is logged and in what is raised, never with a body."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def document(self, call: str, send: Send, until: float) -> Mapping[str, object]:
        """Return the JSON object that a read answers with; raises `ReadFailedError`."""
        return self.checked(call, self.reply(call, send, until))

    def reply(self, call: str, send: Send, until: float) -> Reply:
        """Return a reply that is none of the troubled ones; raises `ReadFailedError`."""
        attempts = Retrying(
            retry=retry_if_exception_type(RETRIED),
            stop=stop_any(stop_after_attempt(ATTEMPTS_MAX), _OutOfTime(until)),
            wait=wait_exponential(FIRST_WAIT_SECONDS, LAST_WAIT_SECONDS),
            reraise=True,
        )
        try:
            return attempts(_untroubled, send)
        except httpx.HTTPError as error:
            reason = str(error) if isinstance(error, TroubledError) else type(error).__name__
            log.warning("gateway.read_failed", provider=self._provider, call=call, reason=reason)
            raise ReadFailedError(LookUpFailed(reason=reason)) from error

    def checked(self, call: str, reply: Reply) -> Mapping[str, object]:
        """Return the JSON object of a reply that is 200; raises `ReadFailedError` for any other."""
        found = document(reply) if reply.status == OK else None
        if found is not None:
            return found
        log.warning("gateway.read_refused", provider=self._provider, call=call, status=reply.status)
        raise ReadFailedError(
            LookUpFailed(
                reason=f"http {reply.status}" + (" without JSON" if reply.status == OK else ""),
                brake=reply.status in REFUSES_US,
                retry_after_seconds=retry_after_seconds(reply, datetime.now(UTC))
                if reply.status == TOO_MANY
                else None,
            )
        )


def _untroubled(send: Send) -> Reply:
    reply = send()
    if reply.status in TROUBLED:
        raise TroubledError(f"http {reply.status}")
    return reply


def payouts_of(
    items: object, read: Callable[[object], ProviderPayout | None]
) -> list[ProviderPayout]:
    """Return the payouts of a page's `items`; raises `ReadFailedError` unless all can be read."""
    if not isinstance(items, list):
        raise ReadFailedError(LookUpFailed(reason="a page without items"))
    payouts = [payout for item in items if (payout := read(item))]
    if len(payouts) != len(items):
        raise ReadFailedError(LookUpFailed(reason="a page with an unreadable payout"))
    return payouts


def asked_for(payout: ProviderPayout | None, provider_id: str) -> ProviderPayout:
    """Return `payout`; raises `ReadFailedError` unless it is the one of that id."""
    if payout is None or payout.provider_id != provider_id:
        raise ReadFailedError(LookUpFailed(reason="not the payout that was asked for"))
    return payout
