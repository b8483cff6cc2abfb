"""One HTTP exchange with a total time-out and a bounded body, on pooled connections."""

import ipaddress
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import httpcore
import httpx

from domain.errors import BadInputError
from workers.gateways.deadline import DeadlineNetwork, ends_at

BODY_BYTES_MAX: Final = 1_048_576
"""The largest answer that is read: a page of 100 payouts is some 80 kB."""
IDLE_SECONDS_MAX: Final = 15.0
"""How long an idle connection is kept: shorter than servers do, so that theirs is not the end."""


class BodyTooLargeError(httpx.TransportError):
    """The answer was larger than this process is willing to hold; the rest was not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One complete answer: status, headers and body."""

    status: int
    content_type: str
    retry_after: str | None
    body: bytes


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's own transport, on connections that know the exchange's deadline."""

    def __init__(self, *, connections_max: int) -> None:
        super().__init__(trust_env=True)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=connections_max,
            max_keepalive_connections=connections_max,
            keepalive_expiry=IDLE_SECONDS_MAX,
            network_backend=DeadlineNetwork(),
        )


class Http:
    """A pool of connections to one provider: thread-safe, never follows redirects or proxies."""

    def __init__(self, *, url: str, auth: tuple[str, str] | None, connections_max: int) -> None:
        self._client = httpx.Client(
            base_url=check_url(url),
            auth=auth,
            transport=DeadlineTransport(connections_max=connections_max),
            follow_redirects=False,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection of the pool."""
        self._client.close()

    def get(self, path: str, params: dict[str, str | int], until: float) -> Reply:
        """Read `path` before `until` (monotonic seconds), or raise `httpx.HTTPError`."""
        return self._exchange(self._client.build_request("GET", path, params=params), until)

    def post(self, path: str, body: bytes, headers: dict[str, str], until: float) -> Reply:
        """Send `body` as it is before `until` (monotonic seconds), or raise `httpx.HTTPError`."""
        sent = {"Content-Type": "application/json", **headers}
        return self._exchange(
            self._client.build_request("POST", path, content=body, headers=sent), until
        )

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None, until: float
    ) -> Reply:
        """Send what somebody else put together, as it is, before `until` (monotonic seconds).

        Raises `httpx.HTTPError`.
        """
        return self._exchange(
            self._client.build_request(method, url, headers=dict(headers), content=body), until
        )

    def _exchange(self, request: httpx.Request, until: float) -> Reply:
        request.extensions["timeout"] = {"pool": max(0.0, until - time.monotonic())}
        with ends_at(until):
            response = self._client.send(request, stream=True)
            try:
                return _read(response)
            finally:
                response.close()


def _read(response: httpx.Response) -> Reply:
    body = bytearray()
    for part in response.iter_raw():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise BodyTooLargeError("the answer is larger than is read")
    return Reply(
        status=response.status_code,
        content_type=response.headers.get("content-type", "").partition(";")[0].strip().lower(),
        retry_after=response.headers.get("retry-after"),
        body=bytes(body),
    )


def check_url(text: str) -> str:
    """Return `text` where credentials may be sent to it: https, or plain http on this machine.

    Raises `BadInputError` for another scheme, a missing host, or credentials in the URL.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise BadInputError("provider url", "(hidden)", f"must be a URL: {error}") from error
    if url.userinfo:
        raise BadInputError("provider url", "(hidden)", "must not hold credentials")
    if not url.host or url.scheme not in {"https", "http"}:
        raise BadInputError("provider url", text, "must be an https URL")
    if url.scheme == "http" and not _is_loopback(url.host):
        raise BadInputError("provider url", text, "must be https: http is for this machine only")
    return text


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
