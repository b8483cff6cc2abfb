"""Serve an ASGI application on a free port of this machine, in a thread of the test's process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from workers.sandbox.wires import Wires

START_SECONDS_MAX = 60.0


@contextmanager
def serving(app: ASGIApp, wires: Wires | None = None) -> Iterator[str]:
    """Yield the address of `app` until the block ends; `wires` lets it cut connections."""
    http = "auto" if wires is None else wires.protocol()
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", http=http)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="serving", daemon=True)
    thread.start()
    ends_at = time.monotonic() + START_SECONDS_MAX
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < ends_at, "it did not start in time"
        thread.join(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(START_SECONDS_MAX)
        assert not thread.is_alive(), "it did not stop"
