"""Tell an application what happened: one signed POST per event, and whether it was heard."""

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import httpx

from domain.errors import BadInputError
from domain.notices import Delivered, Delivery, Undelivered
from domain.ports import Events
from workers.gateways.http import check_url
from workers.gateways.posting import Poster, is_ok
from workers.settings import Settings

SIGNATURE: Final = "Bursar-Signature"
EVENT_ID: Final = "Bursar-Event-Id"


def signature(secrets: Sequence[str], body: bytes, at: int) -> str:
    """Return `t=<unix seconds>,v1=<hex>`, with one `v1` for each secret that holds at the moment.

    Each is the HMAC-SHA256 of `<t>.<body>`: a receiver who knows one of the secrets recomputes it.
    """
    signed = str(at).encode() + b"." + body
    proofs = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={proof}" for proof in proofs)])


class HttpEvents:
    """Implements `Events`. Its address is a secret: it is in no message and no log."""

    def __init__(
        self,
        url: str,
        secrets: Sequence[str],
        *,
        timeout_seconds: float,
        connections_max: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url, self._secrets, self._timeout_seconds = url, secrets, timeout_seconds
        self._clock = clock
        self._poster = Poster(connections_max=connections_max)

    def deliver(self, event_id: str, body: str) -> Delivery:
        """POST `body` under `event_id`; heard where the receiver answered 2xx."""
        raw = body.encode()
        headers = {
            "Content-Type": "application/json",
            EVENT_ID: event_id,
            SIGNATURE: signature(self._secrets, raw, int(self._clock())),
        }
        try:
            status = self._poster.post(self._url, raw, headers, self._timeout_seconds)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Undelivered(reason=type(error).__name__)
        return Delivered() if is_ok(status) else Undelivered(reason=f"http {status}")

    def close(self) -> None:
        """Close every connection."""
        self._poster.close()


@contextmanager
def open_events(settings: Settings) -> Iterator[Events | None]:
    """Yield who is told of events, or None where no address is set; closed afterwards.

    Raises `BadInputError` for an address that would send them in the clear.
    """
    if settings.events_url is None:
        yield None
        return
    try:
        check_url(settings.events_url)
    except BadInputError as error:
        raise BadInputError("BURSAR_EVENTS_URL", "(hidden)", error.rule) from error
    events = HttpEvents(
        settings.events_url,
        [secret.get_secret_value() for secret in settings.events_secrets],
        timeout_seconds=settings.gateway_timeout_seconds,
        connections_max=settings.concurrency * 2,
    )
    try:
        yield events
    finally:
        events.close()
