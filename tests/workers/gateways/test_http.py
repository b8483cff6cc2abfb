"""An exchange ends at its deadline, whatever the other side does, and reads no more than it may."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from domain.errors import BadInputError
from tests.fakes.lines import raw_server
from tests.waiting import eventually
from workers.gateways.http import BODY_BYTES_MAX, BodyTooLargeError, Http, check_url

LIMIT_SECONDS = 0.5
PATIENT_SECONDS = 60.0
SLACK_SECONDS = 20.0
"""What a busy machine may add: far less than any of these servers would take."""

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture
def started() -> Iterator[float]:
    """The start of a test that must end with its exchange."""
    began = time.monotonic()
    yield began
    assert time.monotonic() - began < LIMIT_SECONDS + SLACK_SECONDS


def post(
    port: int, scheme: str = "http", host: str = "127.0.0.1", seconds: float = LIMIT_SECONDS
) -> bytes:
    url = f"{scheme}://{host}:{port}/v1"
    with Http(url=url, auth=("id", "secret"), connections_max=2) as http:
        return http.post("payouts", b"{}", {}, time.monotonic() + seconds).body


@pytest.mark.usefixtures("started")
def test_a_body_that_drips_ends_at_the_deadline() -> None:
    """Each read is quick; only the sum is not."""
    drips = [HEAD + b"Content-Length: 1000\r\n\r\n"] + [b" "] * 1000
    with raw_server(*drips, pause_seconds=0.05) as server, pytest.raises(httpx.ReadTimeout):
        post(server.port)


@pytest.mark.usefixtures("started")
def test_headers_that_drip_end_at_the_deadline() -> None:
    drips = [HEAD] + [b"X-A: b\r\n"] * 1000
    with raw_server(*drips, pause_seconds=0.05) as server, pytest.raises(httpx.ReadTimeout):
        post(server.port)


@pytest.mark.usefixtures("started")
def test_a_server_that_says_nothing_ends_at_the_deadline() -> None:
    with raw_server(close=False) as server, pytest.raises(httpx.ReadTimeout):
        post(server.port)


@pytest.mark.usefixtures("started")
def test_a_tls_handshake_that_hangs_never_sent_anything() -> None:
    with raw_server(close=False) as server, pytest.raises(httpx.ConnectTimeout):
        post(server.port, scheme="https")


def test_a_tls_handshake_that_fails_never_sent_anything() -> None:
    with raw_server(b"HTTP/1.1 200 OK\r\n\r\n") as server, pytest.raises(httpx.ConnectError):
        post(server.port, scheme="https", seconds=PATIENT_SECONDS)


@pytest.mark.usefixtures("started")
def test_a_name_look_up_that_hangs_never_sent_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        answered.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        with pytest.raises(httpx.ConnectTimeout):
            post(9, scheme="https", host="bank.example")
    finally:
        answered.set()


def test_a_name_nobody_knows_never_sent_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(httpx.ConnectError):
        post(9, scheme="https", host="bank.example", seconds=PATIENT_SECONDS)


def test_a_refused_connection_never_sent_anything() -> None:
    with raw_server() as server:
        port = server.port
    with pytest.raises(httpx.ConnectError):
        post(port, seconds=PATIENT_SECONDS)


def test_waiting_for_a_connection_of_the_pool_ends_at_the_deadline() -> None:
    with (
        raw_server(close=False) as server,
        Http(
            url=f"http://127.0.0.1:{server.port}", auth=("id", "secret"), connections_max=1
        ) as http,
    ):
        taken = threading.Thread(target=_hold, args=(http,))
        taken.start()
        eventually(lambda: server.connections)
        with pytest.raises(httpx.PoolTimeout):
            http.get("payouts", {}, time.monotonic() + 0.2)
        server.stop()
        taken.join()


def _hold(http: Http) -> None:
    with suppress(httpx.HTTPError):
        http.get("payouts", {}, time.monotonic() + PATIENT_SECONDS)


def test_a_body_beyond_the_limit_is_not_read() -> None:
    half = b"x" * (BODY_BYTES_MAX // 2 + 1)
    head = HEAD + f"Content-Length: {4 * len(half)}\r\n\r\n".encode()
    with raw_server(head, half, half, close=False) as server, pytest.raises(BodyTooLargeError):
        post(server.port, seconds=PATIENT_SECONDS)


def test_a_body_shorter_than_promised_is_an_error() -> None:
    """F61."""
    with (
        raw_server(HEAD + b"Content-Length: 10\r\n\r\n{}") as server,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        post(server.port, seconds=PATIENT_SECONDS)


def test_a_redirect_is_not_followed() -> None:
    head = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    with raw_server(head) as server:
        assert post(server.port, seconds=PATIENT_SECONDS) == b""
        assert server.connections == 1


@pytest.mark.parametrize(
    "url",
    ["https://api.razorpay.com/v1", "http://127.0.0.1:8/v1", "http://localhost", "http://[::1]"],
)
def test_credentials_go_over_tls_or_stay_on_this_machine(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.razorpay.com/v1",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1",
        "https://id:secret@api.razorpay.com",
        "ftp://127.0.0.1",
        "api.razorpay.com",
        "",
        "http://[",
    ],
)
def test_any_other_url_is_refused_without_repeating_a_secret(url: str) -> None:
    with pytest.raises(BadInputError) as caught:
        check_url(url)
    assert "secret" not in str(caught.value)
