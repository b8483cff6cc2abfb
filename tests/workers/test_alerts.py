"""Alerts arrive as JSON, or it is known that they did not; their addresses are in no log."""

import json
import queue
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import structlog.testing

from workers import alerts
from workers.alerts import HttpAlerts, open_alerts
from workers.settings import load

DOCUMENT: dict[str, object] = {"key": "books-drift:cash", "severity": "P0"}


@dataclass
class Receiver:
    """A real HTTP server on loopback, which answers with `status` once `may_answer` is set."""

    url: str
    status: int = 204
    got: queue.SimpleQueue[tuple[str, bytes]] = field(default_factory=queue.SimpleQueue)
    may_answer: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            made.got.put((self.path, body))
            made.may_answer.wait(60)
            self.send_response(made.status)
            if made.status in {301, 307}:
                self.send_header("Location", f"{made.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Receiver(url=f"http://127.0.0.1:{server.server_address[1]}")
    made.may_answer.set()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.may_answer.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def sender(receiver: Receiver) -> Iterator[HttpAlerts]:
    made = HttpAlerts(f"{receiver.url}/hook/s3cret", f"{receiver.url}/beat/s3cret")
    yield made
    made.close()


def test_a_finding_arrives_as_json(receiver: Receiver, sender: HttpAlerts) -> None:
    assert sender.send(DOCUMENT)

    path, body = receiver.got.get_nowait()
    assert path == "/hook/s3cret"
    assert json.loads(body) == DOCUMENT


def test_a_heartbeat_is_an_empty_post(receiver: Receiver, sender: HttpAlerts) -> None:
    assert sender.heartbeat()

    assert receiver.got.get_nowait() == ("/beat/s3cret", b"")


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 429, 500])
def test_anything_but_2xx_did_not_arrive(
    receiver: Receiver, sender: HttpAlerts, status: int
) -> None:
    receiver.status = status

    with structlog.testing.capture_logs() as logs:
        assert not sender.send(DOCUMENT)

    assert [line["event"] for line in logs] == ["alerts.refused"]
    assert "s3cret" not in str(logs)
    assert receiver.got.get_nowait()[0] == "/hook/s3cret"
    assert receiver.got.empty()


def test_a_receiver_that_hangs_holds_nobody_for_long(
    receiver: Receiver, sender: HttpAlerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "SEND_SECONDS_MAX", 0.2)
    receiver.may_answer.clear()

    with structlog.testing.capture_logs() as logs:
        assert not sender.send(DOCUMENT)

    assert [line["event"] for line in logs] == ["alerts.not_sent"]


def test_a_receiver_that_is_away_is_no_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    sender = HttpAlerts(f"http://127.0.0.1:{port}/s3cret", None)

    with structlog.testing.capture_logs() as logs:
        assert not sender.send(DOCUMENT)
    sender.close()

    assert "s3cret" not in str(logs)


def test_where_nobody_is_to_be_told_nothing_is_undelivered() -> None:
    sender = HttpAlerts(None, None)
    assert sender.send(DOCUMENT)
    assert sender.heartbeat()
    sender.close()

    with open_alerts(load({})) as none:
        assert none is None
