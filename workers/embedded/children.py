"""A server as our child process: started, asked until it answers, stopped in steps.

It starts in a session of its own (so Ctrl-C in a terminal does not reach it before its users are
done), with a death signal (so it never outlives us) and holding a lock on its data (so a successor
waits for the last process of the old server, however that one's starter died).
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domain.errors import BrokenError, UnreachableError
from workers.embedded import launch
from workers.embedded.accounts import Account
from workers.embedded.binaries import Binaries
from workers.embedded.locks import FileLock

READY_SECONDS_MAX = 120.0  # crash recovery of a full WAL included
PREDECESSOR_SECONDS_MAX = 15.0
POLL_SECONDS = 0.01
TAIL_BYTES_MAX = 2_000
LOG_BYTES_MAX = 16 * 1024 * 1024
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}  # PG* names change things


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a server lives: its programs, its user, its data, its sockets, its log."""

    binaries: Binaries
    account: Account
    data: Path
    sockets: Path
    log: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run: arguments, where, what to do before, how to stop it, whether it answers."""

    name: str
    arguments: tuple[str, ...]
    site: Site
    stops: tuple[tuple[signal.Signals, float], ...]  # in order: signal, seconds to wait for it
    sweep: Callable[[], None]  # called when no process of a predecessor is left
    answers: Callable[[], bool]


class Child:
    """One server process; `start` again after it ended makes the next."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            message = f"{self.program.name} was not started"
            raise BrokenError(message)
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            UnreachableError: its data is in use, it died or is silent; with the end of its log.
        """
        if threading.current_thread() is not threading.main_thread():
            message = (
                "the death signal follows the starting thread: start servers from the main one"
            )
            raise BrokenError(message)
        data = self.program.site.data
        with FileLock(data.with_name(data.name + ".lock")) as lock:
            if not lock.take(within_seconds=PREDECESSOR_SECONDS_MAX):
                message = f"{self.program.name}: another server still runs on {data}"
                raise UnreachableError(message)
            self.program.sweep()
            self._process = self._spawn(lock.descriptor)
        self._wait_ready()

    def stop(self) -> None:
        """Ask the server to end, ever less politely, and wait until it has."""
        if self._process is None:
            return
        for number, seconds in self.program.stops:
            if self._process.poll() is None:
                self._process.send_signal(number)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            return

    def tail(self) -> str:
        """Return the end of what this start wrote to the log."""
        with self.program.site.log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, size - TAIL_BYTES_MAX))
            return log.read().decode(errors="replace").strip()

    def _spawn(self, lock_descriptor: int) -> subprocess.Popen[bytes]:
        program, site = self.program, self.program.site
        _rotate(site.log)
        with site.log.open("ab") as log:
            self._log_start = log.tell()
            return subprocess.Popen(
                trampoline(site.account, program.stops[0][0], site.data, program.arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=ENVIRONMENT,
                pass_fds=(lock_descriptor,),
                start_new_session=True,
                umask=0o077,
            )

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self.program.answers():
            if not self.running:
                message = f"{self.program.name} ended while starting:\n{self.tail()}"
                raise UnreachableError(message)
            if time.monotonic() > deadline:
                self.stop()
                message = f"{self.program.name} does not answer:\n{self.tail()}"
                raise UnreachableError(message)
            time.sleep(POLL_SECONDS)


def trampoline(
    account: Account, death_signal: signal.Signals, folder: Path, command: tuple[str, ...]
) -> list[str]:
    """Return the arguments that run `command` in `folder` as `account`, dying with this process."""
    head = [sys.executable, "-I", "-S", str(Path(launch.__file__).resolve())]
    ids = (os.getpid(), int(death_signal), account.user_id, account.group_id)
    return [*head, *map(str, ids), str(folder), *command]


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(".log.1"))
