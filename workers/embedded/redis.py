"""The embedded Redis: how it runs, when it answers."""

import os
import signal
import socket
from pathlib import Path

from workers.embedded.children import Program, Site

SOCKET_NAME = "redis.sock"
SETTINGS_NAME = "redis.conf"
STOPS = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0))  # it ignores SIGQUIT


def initialise(site: Site) -> None:
    """Make the data folder, and write the settings file of this start into it."""
    user_id, group_id = site.account.user_id, site.account.group_id
    if not site.data.exists():
        site.data.mkdir(mode=0o700)
        os.chown(site.data, user_id, group_id)
    settings = site.data / SETTINGS_NAME
    settings.write_text(_settings(site.sockets))
    os.chown(settings, user_id, group_id)


def program(site: Site) -> Program:
    """Return the server on the site's data (its working folder), reached only by its sockets."""
    return Program(
        name="Redis",
        arguments=(str(site.binaries.redis), SETTINGS_NAME),
        site=site,
        stops=STOPS,
        sweep=lambda: (site.sockets / SOCKET_NAME).unlink(missing_ok=True),
        answers=lambda: answers(site.sockets),
    )


def answers(sockets: Path) -> bool:
    """Whether the server answers PING and has its data loaded."""
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(1.0)
            link.connect(str(sockets / SOCKET_NAME))
            link.sendall(b"PING\r\n")
            reply = link.recv(1_024)
    except OSError:
        return False
    return bool(reply) and not reply.startswith(b"-LOADING")


def _settings(sockets: Path) -> str:
    lines = (
        "port 0",
        f"unixsocket {_quoted(sockets / SOCKET_NAME)}",
        "unixsocketperm 700",
        "timeout 0",
        'save ""',
        "appendonly yes",
        "appendfsync everysec",
        "maxmemory-policy noeviction",
        "always-show-logo no",
        'logfile ""',
    )
    return "\n".join(lines) + "\n"


def _quoted(path: Path) -> str:
    """Return the path as Redis reads it back, whatever bytes it holds."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in os.fsencode(path)) + '"'
