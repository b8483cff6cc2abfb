"""The sandbox bank as a process: one thread, one socket, until SIGTERM."""

import uvicorn

from workers.sandbox.app import build
from workers.sandbox.settings import SandboxSettings
from workers.sandbox.wires import Wires

STOP_SECONDS_MAX = 2
"""How long a stop waits for answers under way; hanging ones never end by themselves."""
IDLE_SECONDS_MAX = 75
"""How long an idle connection is kept: longer than any client keeps it."""
BACKLOG_MAX = 1024


def server(settings: SandboxSettings, *, host: str = "127.0.0.1", port: int) -> uvicorn.Server:
    """Return a server that is not running yet; port 0 takes a free one."""
    wires = Wires()
    return uvicorn.Server(
        uvicorn.Config(
            build(settings, wires),
            host=host,
            port=port,
            http=wires.protocol(),
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=IDLE_SECONDS_MAX,
            timeout_graceful_shutdown=STOP_SECONDS_MAX,
            backlog=BACKLOG_MAX,
        )
    )


def serve(settings: SandboxSettings, *, host: str = "127.0.0.1", port: int) -> None:
    """Run the bank until SIGTERM or SIGINT; base URL of its API: `http://host:port/v1`."""
    server(settings, host=host, port=port).run()
