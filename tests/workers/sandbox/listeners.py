"""Who listens to a bank's webhooks, and a bank that tells them."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from tests.fakes.sandbox import RunningSandbox, running
from workers.sandbox.settings import SandboxSettings

SECRET = "whsec"  # noqa: S105  of a sandbox
SECONDS_MAX = 60.0


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
def telling(
    tmp_path: Path,
    url: str,
    *,
    secret: str = SECRET,
    process_seconds: float = 60,
    stripe: str = "",
    razorpay: str = "",
) -> Iterator[RunningSandbox]:
    """Run a bank that tells `url` of payouts, `stripe` of transfers, and both others of its till."""
    settings = SandboxSettings(
        storage=tmp_path / "bank.sqlite",
        webhook_url=url,
        stripe_webhook_url=stripe,
        razorpay_webhook_url=razorpay,
        webhook_secret=secret,
        process_seconds=process_seconds,
    )
    with running(settings) as bank:
        yield bank
