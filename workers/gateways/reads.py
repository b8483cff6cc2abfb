"""Reading RazorpayX: one page or one payout, tried again on named errors inside the time given."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

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
from domain.razorpayx_payouts import read_payout
from workers.gateways.classify import (
    REFUSES_US,
    TOO_MANY,
    document,
    retry_after_seconds,
    vendor_error,
)
from workers.gateways.http import Http, Reply

PAGE_MAX: Final = 100
"""The most payouts the provider puts on one page."""
ATTEMPTS_MAX: Final = 3
FIRST_WAIT_SECONDS: Final = 0.05
LAST_WAIT_SECONDS: Final = 0.5
OK: Final = 200
NOT_FOUND: Final = frozenset({400, 404})
TROUBLED: Final = frozenset({500, 502, 503, 504})

log = structlog.get_logger()


class ReadFailedError(Exception):
    """A read did not work: it says nothing about any payment."""

    def __init__(self, failed: LookUpFailed) -> None:
        self.failed = failed
        super().__init__(failed.reason)


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


class Reads:
    """The provider's read calls for one account."""

    def __init__(self, http: Http, account_number: str) -> None:
        self._http = http
        self._account_number = account_number

    def page(
        self, filters: Mapping[str, str | int], skip: int, until: float
    ) -> list[ProviderPayout]:
        """Return one page of payouts that pass `filters`; raises `ReadFailedError`.

        A page with an entry that cannot be read fails as a whole: nothing is ever left out.
        """
        params = {
            "account_number": self._account_number,
            "count": PAGE_MAX,
            "skip": skip,
            **filters,
        }
        items = self._document("list", "payouts", params, until).get("items")
        if not isinstance(items, list):
            raise ReadFailedError(LookUpFailed(reason="a page without items"))
        payouts = [payout for item in items if (payout := read_payout(item))]
        if len(payouts) != len(items):
            raise ReadFailedError(LookUpFailed(reason="a page with an unreadable payout"))
        return payouts

    def one(self, provider_id: str, until: float) -> ProviderPayout | None:
        """Return the payout of that id, None where there is none; raises `ReadFailedError`."""
        reply = self._get("get", f"payouts/{quote(provider_id, safe='')}", {}, until)
        if reply.status in NOT_FOUND and vendor_error(reply):
            return None
        payout = read_payout(self._checked("get", reply))
        if payout is None or payout.provider_id != provider_id:
            raise ReadFailedError(LookUpFailed(reason="not the payout that was asked for"))
        return payout

    def balances(self, until: float) -> None:
        """Read the balance and keep nothing of it; raises `ReadFailedError`."""
        items = self._document("balance", "banking_balances", {}, until).get("items")
        if not isinstance(items, list):
            raise ReadFailedError(LookUpFailed(reason="an answer without balances"))

    def _document(
        self, call: str, path: str, params: dict[str, str | int], until: float
    ) -> Mapping[str, object]:
        return self._checked(call, self._get(call, path, params, until))

    def _checked(self, call: str, reply: Reply) -> Mapping[str, object]:
        found = document(reply) if reply.status == OK else None
        if found is not None:
            return found
        log.warning("gateway.read_refused", provider="razorpayx", call=call, status=reply.status)
        raise ReadFailedError(
            LookUpFailed(
                reason=f"http {reply.status}" + (" without JSON" if reply.status == OK else ""),
                brake=reply.status in REFUSES_US,
                retry_after_seconds=retry_after_seconds(reply, datetime.now(UTC))
                if reply.status == TOO_MANY
                else None,
            )
        )

    def _get(self, call: str, path: str, params: dict[str, str | int], until: float) -> Reply:
        attempts = Retrying(
            retry=retry_if_exception_type(RETRIED),
            stop=stop_any(stop_after_attempt(ATTEMPTS_MAX), _OutOfTime(until)),
            wait=wait_exponential(FIRST_WAIT_SECONDS, LAST_WAIT_SECONDS),
            reraise=True,
        )
        try:
            return attempts(self._once, path, params, until)
        except httpx.HTTPError as error:
            reason = str(error) if isinstance(error, TroubledError) else type(error).__name__
            log.warning("gateway.read_failed", provider="razorpayx", call=call, reason=reason)
            raise ReadFailedError(LookUpFailed(reason=reason)) from error

    def _once(self, path: str, params: dict[str, str | int], until: float) -> Reply:
        reply = self._http.get(path, params, until)
        if reply.status in TROUBLED:
            raise TroubledError(f"http {reply.status}")
        return reply
