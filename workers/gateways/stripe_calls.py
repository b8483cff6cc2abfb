"""Calls that Stripe's own library puts together, sent by our bounded client and read by us.

The library knows paths, headers, the form encoding and the version of the API. It neither repeats a
call nor makes a key, and what comes back is judged from the bytes by this package, so that an answer
no version of the library foresaw is still an answer.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

import stripe

from workers.gateways.http import Http, Reply

API_VERSION: Final = "2026-10-28.endive"
"""What this code was written for; a newer library changes nothing on the wire."""

Call = Callable[[stripe.StripeClient], object]
"""One call of the library; what it returns means nothing here."""


class Exchange(stripe.HTTPClient):
    """The library's way out, for one call: its reply is kept here, the library sees an empty one."""

    name: ClassVar[str] = "bursar"

    def __init__(self, http: Http, until: float) -> None:
        super().__init__()
        self._http, self._until = http, until
        self.reply: Reply | None = None

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: str | None = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Send what the library put together; raises `httpx.HTTPError`, which it lets through."""
        self.reply = self._http.send(method.upper(), url, headers or {}, post_data, self._until)
        return "{}", 200, {}


class Calls:
    """One API key, over one pool of connections; thread-safe."""

    def __init__(self, http: Http, *, url: str, api_key: str) -> None:
        self._http, self._api_key = http, api_key
        self._url = url.rstrip("/").removesuffix("/v1")  # the library adds it to every path
        stripe.enable_telemetry = False  # it writes a file into the home folder, and tells of times

    def reply(self, call: Call, until: float) -> Reply:
        """Return the reply to `call`, made once before `until`; raises `httpx.HTTPError`."""
        exchange = Exchange(self._http, until)
        call(
            stripe.StripeClient(
                self._api_key,
                stripe_version=API_VERSION,
                base_addresses={"api": self._url},
                http_client=exchange,
                max_network_retries=0,
            )
        )
        if exchange.reply is None:
            raise AssertionError("a call of the library sent nothing")
        return exchange.reply
