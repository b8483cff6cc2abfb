"""The embedded Postgres 16: how its data is made, how it runs, when it answers."""

import os
import shutil
import signal
import socket
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from domain.errors import UnreachableError
from workers.embedded.accounts import Account
from workers.embedded.children import ENVIRONMENT, Program, Site, trampoline

SOCKET_NAME = ".s.PGSQL.5432"
SUPERUSER, OWNER, DATABASE = "postgres", "bursar", "bursar"
INITIALISE_SECONDS_MAX = 120.0
STOPS = (
    (signal.SIGINT, 60.0),  # fast: SIGTERM would wait for every client
    (signal.SIGQUIT, 5.0),
    (signal.SIGKILL, 5.0),
)
FIRST_STATEMENTS = f"""
CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB;
CREATE DATABASE {DATABASE} OWNER {OWNER};
"""
CANNOT_CONNECT_NOW = b"C57P03"
PROTOCOL = 196_608  # 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Sizes of the server; the defaults suit two cores."""

    shared_buffers_mb: int = 256
    wal_mb_max: int = 2_048
    connections_max: int = 200
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of the server, instead of ours."""


def initialise(site: Site, *, synced: bool = True) -> None:
    """Make the data folder with the database and its owner, whole or not at all.

    Raises:
        UnreachableError: `initdb` failed; with what it wrote.
    """
    data, account = site.data, site.account
    if data.exists():
        return
    building = data.with_name(data.name + ".new")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700)
    os.chown(building, account.user_id, account.group_id)
    initdb = [str(site.binaries.initdb), "-D", str(building), "-U", SUPERUSER, "-A", "trust"]
    initdb += ["-E", "UTF8", "--locale=C.UTF-8", *([] if synced else ["--no-sync"])]
    _run(tuple(initdb), building, account, "")
    single = (str(site.binaries.postgres), "--single", "-D", str(building), "postgres")
    _run(single, building, account, FIRST_STATEMENTS.strip() + "\n")
    building.rename(data)


def program(site: Site, tuning: Tuning) -> Program:
    """Return the server on the site's data, reached only through its sockets folder."""
    options = {
        "listen_addresses": "",
        "unix_socket_directories": '"' + str(site.sockets).replace('"', '""') + '"',
        "unix_socket_permissions": "0700",
        "port": "5432",
        "max_connections": str(tuning.connections_max),
        "shared_buffers": f"{tuning.shared_buffers_mb}MB",
        "max_wal_size": f"{tuning.wal_mb_max}MB",
        "checkpoint_timeout": "15min",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "wal_level": "replica",
        "jit": "off",
        "createrole_self_grant": "set, inherit",
        "timezone": "UTC",
        "log_timezone": "UTC",
        **tuning.settings,
    }
    arguments = [str(site.binaries.postgres), "-D", str(site.data)]
    for name, value in options.items():
        arguments += ["-c", f"{name}={value}"]
    return Program(
        name="Postgres",
        arguments=tuple(arguments),
        site=site,
        stops=STOPS,
        sweep=lambda: _forget_dead_postmaster(site.data),
        answers=lambda: answers(site.sockets),
    )


def answers(sockets: Path) -> bool:
    """Whether a connection would be served: it was authenticated, or refused for want of a slot."""
    body = struct.pack("!I", PROTOCOL) + b"user\0postgres\0database\0postgres\0\0"
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(1.0)
            link.connect(str(sockets / SOCKET_NAME))
            link.sendall(struct.pack("!I", len(body) + 4) + body)
            reply = link.recv(1_024)
            if reply.startswith(b"R"):
                link.sendall(b"X\0\0\0\4")
                return True
            return reply.startswith(b"E") and CANNOT_CONNECT_NOW not in reply
    except OSError:
        return False


def _run(command: tuple[str, ...], folder: Path, account: Account, statements: str) -> None:
    done = subprocess.run(
        trampoline(account, signal.SIGTERM, folder, command),
        input=statements,
        check=False,
        cwd="/",
        env=ENVIRONMENT,
        umask=0o077,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=INITIALISE_SECONDS_MAX,
    )
    if done.returncode != 0 or "ERROR:" in done.stdout or "FATAL:" in done.stdout:
        message = f"{Path(command[0]).name} could not make {folder}:\n{done.stdout.strip()}"
        raise UnreachableError(message)


def _forget_dead_postmaster(data: Path) -> None:
    """Remove a `postmaster.pid` whose process is a zombie or another program by now.

    Postgres handles a process id that is free, but takes one in use for a running server; in a
    container whose first process does not reap, that of a killed server stays in use for ever.
    Called under the lock that every process of a server of ours holds until its end.
    """
    file = data / "postmaster.pid"
    try:
        process = psutil.Process(int(file.read_text().split("\n", 1)[0]))
        alive = process.name() == "postgres" and Path(process.cwd()) == data.resolve()
    except FileNotFoundError:
        return
    except (psutil.Error, ValueError):
        alive = False
    if not alive:
        file.unlink(missing_ok=True)
