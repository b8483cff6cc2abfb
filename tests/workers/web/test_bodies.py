"""A body is read within bounds of size and time, whatever its sender says of it."""

import socket
from collections.abc import Iterable
from dataclasses import replace

import httpx
import pytest

from db.engine import Database
from tests.domain.webhooks.signing import payout_event, raw, razorpay_headers
from tests.operating import query
from tests.waiting import eventually
from tests.workers.web.webs import Web
from workers.web import receiving

MAX = 262_144
BEGUN = b"POST /webhooks/razorpayx HTTP/1.1\r\nHost: h\r\nX-Razorpay-Signature: 00\r\nContent-Length: 500\r\n\r\n"


def padded(size: int) -> bytes:
    """An event of so many bytes."""
    empty = raw(payout_event(note=""))
    return raw(payout_event(note="x" * (size - len(empty))))


def events(operator: Database) -> int:
    [row] = query(operator, "SELECT count(*) AS n FROM inbox")
    return int(row.n)


def status(here: Web, head: bytes, parts: Iterable[bytes] = ()) -> bytes:
    """Send a request byte for byte, with some signature; return the status of what comes back."""
    if b"signature" not in head.lower():
        head += b"X-Razorpay-Signature: 00\r\n"
    with socket.create_connection(("127.0.0.1", here.port), timeout=60) as line:
        line.sendall(b"POST /webhooks/razorpayx HTTP/1.1\r\nHost: h\r\n" + head + b"\r\n")
        for part in parts:
            line.sendall(part)
        return line.recv(4096).split(b" ", 2)[1]


def chunk(part: bytes) -> bytes:
    return f"{len(part):x}\r\n".encode() + part + b"\r\n"


def test_the_largest_body_is_taken_and_one_byte_more_is_not(here: Web, operator: Database) -> None:
    assert len(padded(MAX)) == MAX
    assert here.send(padded(MAX)).status_code == 200
    assert here.send(padded(MAX + 1)).status_code == 413
    assert events(operator) == 1
    assert here.counted("large") == 1


def test_a_length_that_is_too_large_is_refused_before_anything_is_read(here: Web) -> None:
    assert status(here, b"Content-Length: 99999999999999999999\r\n") == b"413"


def test_a_body_without_a_length_is_counted(here: Web, operator: Database) -> None:
    """In chunks nothing is said beforehand, and it ends when it is too much."""
    head = b"Transfer-Encoding: chunked\r\n"
    assert status(here, head, [chunk(b"x" * 65_536)] * 4 + [chunk(b"x")]) == b"413"

    body = padded(1000)
    signed = razorpay_headers(body)["x-razorpay-signature"].encode()
    head += b"X-Razorpay-Signature: " + signed + b"\r\n"
    assert status(here, head, [chunk(body[:300]), chunk(body[300:]), b"0\r\n\r\n"]) == b"200"
    assert events(operator) == 1


def test_a_length_that_is_too_small_cuts_the_body(here: Web, operator: Database) -> None:
    body = padded(1000)
    signed = razorpay_headers(body)["x-razorpay-signature"].encode()
    head = b"Content-Length: 500\r\nX-Razorpay-Signature: " + signed + b"\r\n"
    assert status(here, head, [body]) == b"400"
    assert events(operator) == 0


def test_a_length_that_is_none_is_refused(here: Web) -> None:
    assert status(here, b"Content-Length: many\r\n") == b"400"


def test_a_body_that_does_not_come_is_given_up(
    here: Web, operator: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It drips, or it stops: the whole of it has its time, not each part."""
    monkeypatch.setattr(receiving, "READ_SECONDS_MAX", 0.3)
    body = padded(500)
    signed = razorpay_headers(body)["x-razorpay-signature"].encode()
    head = b"Content-Length: 500\r\nX-Razorpay-Signature: " + signed + b"\r\n"

    assert status(here, head, [body[:499]]) == b"408"
    assert events(operator) == 0
    assert here.counted("slow") == 1


@pytest.mark.parametrize(
    "provider", ["adyen", "paypal", "razorpayx"], ids=["unknown", "unconfigured", "unsigned"]
)
def test_what_is_answered_unread_ends_its_connection(here: Web, provider: str) -> None:
    """A body without an end is not read on and thrown away."""
    with socket.create_connection(("127.0.0.1", here.port), timeout=60) as line:
        head = (
            f"POST /webhooks/{provider} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        line.sendall(head.encode() + chunk(b"x" * 100))
        answer = b""
        while part := line.recv(4096):
            answer += part
    assert b"connection: close" in answer.lower()


def test_who_hangs_up_in_the_middle_harms_nobody(here: Web, operator: Database) -> None:
    body = padded(500)
    with socket.create_connection(("127.0.0.1", here.port), timeout=60) as line:
        line.sendall(BEGUN + body[:100])
    assert here.send(body).status_code == 200
    assert events(operator) == 1


def test_more_at_once_than_there_is_room_for_are_told_to_come_again(
    here: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F78: what many slow senders can make us hold is bounded."""
    monkeypatch.setattr(receiving, "AT_ONCE_MAX", 0)
    assert here.send(padded(500)).status_code == 503
    assert here.counted("crowded") == 1
    monkeypatch.undo()
    assert here.send(padded(500)).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"x-razorpay-signature": ""}], ids=["none", "empty"])
def test_what_nobody_signed_takes_no_place(
    here: Web, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    """Even with no room left it is refused, and not told to come again."""
    monkeypatch.setattr(receiving, "AT_ONCE_MAX", 0)
    assert here.send(padded(500), headers).status_code == 400
    assert here.counted("refused") == 1
    assert here.counted("crowded") == 0


def test_one_address_that_sends_slowly_leaves_room_for_others(
    here: Web, operator: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds back its bodies holds up itself."""
    monkeypatch.setattr(receiving, "READ_FOR_ONE_MAX", 1)
    body = padded(500)
    with socket.create_connection(
        ("127.0.0.1", here.port), timeout=60, source_address=("127.0.0.2", 0)
    ) as slow:
        slow.sendall(BEGUN + body[:100])
        elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(base_url=here.http.base_url, transport=elsewhere, timeout=60) as same:
            sent = replace(here, http=same)
            eventually(lambda: sent.send(body).status_code == 503)
            assert here.send(body).status_code == 200
            slow.close()
            eventually(lambda: sent.send(body).status_code == 200)
    assert events(operator) == 1
