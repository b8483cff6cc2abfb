"""The embedded Redis: how it runs, when it answers."""

import os
import signal
import socket
from pathlib import Path

from workers.embedded.accounts import Account
from workers.embedded.binaries import Binaries
from workers.embedded.children import Program

SOCKET_NAME = "redis.sock"
SETTINGS_NAME = "redis.conf"
STOPS = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0))  # it ignores SIGQUIT


def initialise(data: Path, sockets: Path, account: Account) -> None:
    """Make the data folder, and write the settings file of this start into it."""
    if not data.exists():
        data.mkdir(mode=0o700)
        os.chown(data, account.user_id, account.group_id)
    settings = data / SETTINGS_NAME
    settings.write_text(_settings(sockets))
    os.chown(settings, account.user_id, account.group_id)


def program(data: Path, sockets: Path, log: Path, binaries: Binaries, account: Account) -> Program:
    """Return the server on `data` (its working folder), reached only through `sockets`."""
    return Program(
        name="Redis",
        arguments=(str(binaries.redis), SETTINGS_NAME),
        data=data,
        log=log,
        account=account,
        stops=STOPS,
        sweep=lambda: (sockets / SOCKET_NAME).unlink(missing_ok=True),
        answers=lambda: answers(sockets),
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
