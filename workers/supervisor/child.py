"""One child process and its restarts: started, listened to, judged, ended."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Final

import structlog

from domain.errors import BrokenError
from workers.embedded import launch
from workers.supervisor.beat import VARIABLE
from workers.supervisor.output import Output
from workers.supervisor.programs import Program, restart_seconds

STUCK_SECONDS: Final = 5.0
"""From SIGTERM to SIGKILL for a child whose threads take no work any more."""
LAST_LINES_SECONDS: Final = 1.0
BEAT_BYTES: Final = 65_536

_log = structlog.get_logger(__name__)


class Child:
    """A copy of a program; whoever calls it must do so from the main thread (see `start`)."""

    def __init__(self, program: Program, name: str, output: Output) -> None:
        self.program, self.name, self.output = program, name, output
        self.failures = 0
        """Failures in a row."""
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._pump: threading.Thread | None = None
        self._beats = -1
        self._started = self._beaten = 0.0
        self._beat_once = self._killed = False
        self._next_start = 0.0
        self._kill_at: float | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it in a session of its own, to die when we die.

        The death signal follows the starting *thread*, hence the main one only. A session of its
        own keeps a terminal's Ctrl-C from it: the supervisor decides the order.
        """
        if threading.current_thread() is not threading.main_thread():
            message = "the death signal follows the thread: start children from the main one"
            raise BrokenError(message)
        ours, theirs = os.pipe()
        os.set_blocking(ours, False)
        piped = None if self.output.passes_through else subprocess.PIPE
        try:
            process = subprocess.Popen(
                _dying_with_us(self.program.arguments),
                env={**os.environ, **self.program.environment, VARIABLE: str(theirs)},
                stdin=subprocess.DEVNULL,
                stdout=piped,
                stderr=None if piped is None else subprocess.STDOUT,
                pass_fds=(theirs,),
                start_new_session=True,
            )
        finally:
            os.close(theirs)
        self._process, self._beats, self._kill_at = process, ours, None
        self._started = self._beaten = time.monotonic()
        self._beat_once = self._killed = False
        self.starts += 1
        _log.info("child.started", child=self.name, pid=process.pid, start=self.starts)
        if process.stdout is not None:
            source: IO[bytes] = process.stdout
            self._pump = self.output.pump(self.name, source)

    def tend(self) -> None:
        """Look after it once: note its end, start it again when it is time, end it when stuck."""
        if self._process is None:
            if time.monotonic() >= self._next_start:
                self.start()
            return
        if self._process.poll() is not None:
            self._note_end(self._process)
            return
        self._listen()
        self._judge()

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        if self.running and self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL."""
        if self.running and self._process is not None and not self._killed:
            _log.warning("child.killed", child=self.name, pid=self._process.pid)
            self._process.kill()
            self._killed = True

    def reap(self) -> int | None:
        """Forget an ended process and its pipe; return its exit code (negative: a signal)."""
        if self._process is None:
            return None
        code = self._process.wait()
        if self._pump is not None:
            self._pump.join(LAST_LINES_SECONDS)
            self._pump = None
        os.close(self._beats)
        self._process, self._beats = None, -1
        return code

    def _note_end(self, process: subprocess.Popen[bytes]) -> None:
        lived_seconds = time.monotonic() - self._started
        code = self.reap()
        self.failures = 1 if lived_seconds >= self.program.healthy_seconds else self.failures + 1
        wait_seconds = restart_seconds(self.failures)
        self._next_start = time.monotonic() + wait_seconds
        _log.warning(
            "child.ended",
            child=self.name,
            pid=process.pid,
            exit_code=code,
            lived_seconds=round(lived_seconds, 1),
            restart_seconds=wait_seconds,
        )

    def _listen(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._beats, BEAT_BYTES):
                self._beaten, self._beat_once = time.monotonic(), True

    def _judge(self) -> None:
        limit = self.program.beat_seconds_max
        if limit is None:
            return
        now = time.monotonic()
        if self._kill_at is not None:
            if now >= self._kill_at:
                self.kill()
            return
        limit = limit if self._beat_once else max(limit, self.program.first_beat_seconds_max)
        if now - self._beaten > limit:
            _log.error("child.stuck", child=self.name, silent_seconds=round(now - self._beaten, 1))
            self._kill_at = now + min(STUCK_SECONDS, self.program.stop_seconds)
            self.ask_to_stop()


def _dying_with_us(arguments: tuple[str, ...]) -> list[str]:
    """Return the command that becomes `arguments` with a clean signal mask and a death signal.

    Not a `preexec_fn`: its Python would run between fork and exec of a process with threads.
    """
    head = [sys.executable, "-I", "-S", str(Path(launch.__file__).resolve())]
    ids = (os.getpid(), int(signal.SIGTERM), os.geteuid(), os.getegid())
    program = shutil.which(arguments[0]) or arguments[0]
    return [*head, *map(str, ids), str(Path.cwd()), program, *arguments[1:]]
