"""One bounded POST to whoever wants to be told: its status counts, and nothing else of the answer."""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import httpx

from workers.gateways.deadline import ends_at
from workers.gateways.http import DeadlineTransport

OK_FIRST, OK_LAST = 200, 299
ENDED_SECONDS_MAX: Final = 0.2
ENDED_BYTES_MAX: Final = 65_536
"""What of an answer's body is waited for, so that its connection serves again."""


class Poster:
    """A pool of connections, for any number of threads. TLS is verified, redirects are not followed."""

    def __init__(self, *, connections_max: int) -> None:
        self._client = httpx.Client(
            transport=DeadlineTransport(connections_max=connections_max),
            follow_redirects=False,
            headers={"User-Agent": "bursar", "Accept-Encoding": "identity"},
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str], seconds_max: float) -> int:
        """Send `body` and return the status, within `seconds_max` in all.

        Raises `httpx.HTTPError` or `httpx.InvalidURL` where no status came: nothing is known then.
        """
        until = time.monotonic() + seconds_max
        with (
            ends_at(until),
            self._client.stream("POST", url, content=body, headers=dict(headers)) as response,
        ):
            _end(response, until)
            return response.status_code

    def close(self) -> None:
        """Close every connection."""
        self._client.close()


def is_ok(status: int) -> bool:
    """Whether a status says that it was heard."""
    return OK_FIRST <= status <= OK_LAST


def _end(response: httpx.Response, until: float) -> None:
    """Come to the end of a short answer; a long or slow one costs its connection, and means the same."""
    left = ENDED_BYTES_MAX
    soon = min(until, time.monotonic() + ENDED_SECONDS_MAX)
    with suppress(httpx.HTTPError), ends_at(soon):
        for part in response.iter_raw():
            left -= len(part)
            if left < 0:
                return
