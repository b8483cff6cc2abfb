"""Processes born quickly: a parent that has imported the product forks them, each with its own environment.

`python -m tests.faults.nursery` reads one order a line, answers with the pid, and later tells how
each child ended. A child is a process like any other: to be killed, frozen and waited for.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import child

ROOT = Path(__file__).parents[2]
READ_MAX = 65_536


@dataclass(slots=True, kw_only=True)
class Born:
    """One child of the nursery, handled as `subprocess.Popen` is."""

    pid: int
    code: int | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def poll(self) -> int | None:
        """Return how it ended, negative for a signal; None while it lives."""
        return self.code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        if not self.ended.wait(timeout) or self.code is None:
            raise subprocess.TimeoutExpired("a child of the nursery", timeout or 0)
        return self.code

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """Where processes are asked for; used by one thread."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        assert process.stdout
        self._orders, self._news = process.stdin, process.stdout
        self._born: dict[int, Born] = {}
        self._last: Born | None = None
        self._told = threading.Semaphore(0)
        threading.Thread(target=self._listen, name="nursery", daemon=True).start()

    def start(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> Born:
        """Fork a process that runs these words of `tests.faults.child`."""
        order = {"words": list(words), "environment": dict(environment), "log": str(log)}
        self._orders.write(json.dumps(order) + "\n")
        self._orders.flush()
        assert self._told.acquire(timeout=60), "the nursery is silent"
        assert self._last
        return self._last

    def _listen(self) -> None:
        for line in self._news:
            news = json.loads(line)
            if "code" in news:
                ended = self._born.pop(news["pid"])
                ended.code = news["code"]
                ended.ended.set()
            else:
                self._last = self._born[news["pid"]] = Born(pid=news["pid"])
                self._told.release()


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A nursery, gone with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.nursery"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Nursery(process)
        assert process.stdin
        process.stdin.close()


def serve() -> Sequence[str] | None:
    """Take orders until there are no more; in a child, return what it is to run."""
    news = os.fdopen(os.dup(1), "w", buffering=1)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writer)
    rest = b""
    while True:
        ready, _, _ = select.select([0, reader], [], [])
        if reader in ready:
            os.read(reader, READ_MAX)
            for pid, code in _ended():
                news.write(json.dumps({"pid": pid, "code": code}) + "\n")
        if 0 not in ready:
            continue
        data = os.read(0, READ_MAX)
        if not data:
            return None
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            pid = os.fork()
            if pid == 0:
                for end in (reader, writer, news.fileno()):
                    os.close(end)
                return _grown(json.loads(line))
            news.write(json.dumps({"pid": pid}) + "\n")


def _ended() -> Iterator[tuple[int, int]]:
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            yield found[0], os.waitstatus_to_exitcode(found[1])


def _grown(order: dict[str, object]) -> Sequence[str]:
    """Become a process of its own: its signals, its environment, its output."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(str(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    environment, words = order["environment"], order["words"]
    assert isinstance(environment, dict)
    assert isinstance(words, list)
    os.environ.clear()
    os.environ.update(environment)
    return words


if __name__ == "__main__":
    child.preload()
    wanted = serve()
    sys.exit(0 if wanted is None else child.run(wanted))
