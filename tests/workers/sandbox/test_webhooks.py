"""Events are signed over the raw body and told until somebody listens."""

import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from tests.fakes.sandbox import RunningSandbox, running
from tests.workers.sandbox.asking import paid
from workers.sandbox.settings import SandboxSettings

SECRET = "whsec"  # noqa: S105  of a sandbox
SECONDS_MAX = 20.0


class Listener(BaseHTTPRequestHandler):
    """Keeps every event; answers with the statuses ordered, then 200."""

    heard: ClassVar["queue.SimpleQueue[tuple[bytes, dict[str, str]]]"]
    statuses: ClassVar[list[int]]

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.statuses.pop(0) if self.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.heard.put((raw, {name.lower(): value for name, value in self.headers.items()}))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def listening(*statuses: int) -> Iterator[tuple[str, Any]]:
    """Run a listener; yields its URL and the queue of what it hears."""
    heard: queue.SimpleQueue[tuple[bytes, dict[str, str]]] = queue.SimpleQueue()
    kind = type("OneListener", (Listener,), {"heard": heard, "statuses": list(statuses)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join(SECONDS_MAX)


@contextmanager
def telling(tmp_path: Path, url: str) -> Iterator[RunningSandbox]:
    settings = SandboxSettings(
        storage=tmp_path / "bank.sqlite", webhook_url=url, webhook_secret=SECRET, process_seconds=60
    )
    with running(settings) as bank:
        yield bank


def test_each_change_is_told_signed_over_the_raw_body(tmp_path: Path) -> None:
    """Invariant 32."""
    with listening() as (url, heard), telling(tmp_path, url) as bank:
        payout = paid(bank)
        told = [heard.get(timeout=SECONDS_MAX)]
        bank.advance(61)
        told.append(heard.get(timeout=SECONDS_MAX))
    events = [json.loads(raw) for raw, _ in told]
    assert [event["event"] for event in events] == ["payout.initiated", "payout.processed"]
    entities = [event["payload"]["payout"]["entity"] for event in events]
    assert [entity["id"] for entity in entities] == [payout["id"]] * 2
    assert [entity["status"] for entity in entities] == ["processing", "processed"]
    for raw, headers in told:
        signed = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        assert headers["x-razorpay-signature"] == signed
    assert len({headers["x-razorpay-event-id"] for _, headers in told}) == 2


def test_an_event_nobody_took_is_told_again_with_the_same_id(tmp_path: Path) -> None:
    with listening(500) as (url, heard), telling(tmp_path, url) as bank:
        paid(bank)
        first, again = (heard.get(timeout=SECONDS_MAX) for _ in range(2))
    assert first[0] == again[0]
    assert first[1]["x-razorpay-event-id"] == again[1]["x-razorpay-event-id"]
