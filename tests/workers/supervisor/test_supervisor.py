"""Children live, die, come back and end as the supervisor says."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[3]
DEADLINE_SECONDS = 120.0

SLEEP = "import os, time; print('up', os.getpid(), flush=True); time.sleep(600)"
BEATS = """
import os, sys, threading, time
sys.path.insert(0, os.getcwd())
from workers.supervisor import Beat
alive = threading.Event(); alive.set()
Beat.from_environment().start(alive.is_set, 0.05)
print('up', os.getpid(), flush=True)
"""
DRAINS = """
import os, signal, sys, time
def stop(*_):
    print('draining', os.getpid(), flush=True)
    time.sleep(0.5)
    print('drained', os.getpid(), flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print('up', os.getpid(), flush=True)
while True: time.sleep(600)
"""
DEAF = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('up', os.getpid(), flush=True)
while True: time.sleep(600)
"""


class Running:
    """A supervisor process and the lines it wrote."""

    def __init__(self, *programs: dict[str, object]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.workers.supervisor.sample", json.dumps(programs)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._fresh: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._fresh.put(line.rstrip("\n"))
        self._fresh.put(None)

    def line(self, pattern: str) -> re.Match[str]:
        """Wait for the next line that matches."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._fresh.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found
        pytest.fail(f"no line matches {pattern!r} in:\n" + "\n".join(self.lines))

    def pid(self, name: str) -> int:
        """Wait until a child of that name says it is up."""
        return int(self.line(rf"{name} +\| up (\d+)")[1])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the exit code."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_SECONDS)

    def close(self) -> None:
        """Leave nothing behind."""
        family = []
        if self.process.poll() is None:
            family = psutil.Process(self.process.pid).children(recursive=True)
            self.process.kill()
            self.process.wait()
        for child in family:
            if child.is_running():
                child.kill()
        self._reader.join(DEADLINE_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()


Start = Callable[..., Running]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start supervisors of programs given as dictionaries; gone afterwards."""
    made: list[Running] = []

    def _start(*programs: dict[str, object]) -> Running:
        made.append(Running(*programs))
        return made[-1]

    yield _start
    for running in made:
        running.close()


def is_gone(pid: int) -> bool:
    """Whether a process has ended, reaped or not, within the deadline."""
    pause, deadline = threading.Event(), time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        pause.wait(0.02)
    return False


def test_a_killed_child_is_started_again_and_the_others_go_on(start: Start) -> None:
    """F13."""
    running = start({"name": "worker", "arguments": SLEEP, "copies": 2})
    first, second = running.pid(r"worker.[12]"), running.pid(r"worker.[12]")
    os.kill(first, signal.SIGKILL)
    third = running.pid(r"worker.[12]")
    assert third not in {first, second}
    assert not is_zombie(second)
    assert running.end() == 0
    assert is_gone(second)
    assert is_gone(third)


def is_zombie(pid: int) -> bool:
    """Whether it has ended and was not reaped."""
    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_children_die_with_a_killed_supervisor(start: Start) -> None:
    """F14: by the death signal, as nobody is left to tell them."""
    running = start({"name": "worker", "arguments": DRAINS, "copies": 2})
    pids = [running.pid(r"worker.[12]") for _ in range(2)]
    running.process.kill()
    assert all(is_gone(pid) for pid in pids)


def test_sigterm_lets_children_drain_and_a_second_one_changes_nothing(start: Start) -> None:
    running = start({"name": "worker", "arguments": DRAINS})
    running.pid("worker")
    running.process.send_signal(signal.SIGTERM)
    running.line("draining")
    running.process.send_signal(signal.SIGTERM)
    running.process.send_signal(signal.SIGINT)
    running.line("drained")
    assert running.process.wait(DEADLINE_SECONDS) == 0


def test_children_stop_in_the_given_order(start: Start) -> None:
    running = start(
        {"name": "bank", "arguments": DRAINS, "stop_order": 2},
        {"name": "worker", "arguments": DRAINS, "stop_order": 1},
    )
    pids = {"bank": 0, "worker": 0}
    for _ in pids:
        found = running.line(r"(bank|worker) +\| up (\d+)")
        pids[found[1]] = int(found[2])
    running.process.send_signal(signal.SIGINT)
    for line in ("worker.*draining", "worker.*drained", "bank.*draining", "bank.*drained"):
        running.line(line)
    assert running.process.wait(DEADLINE_SECONDS) == 0


def test_a_child_that_ignores_sigterm_is_killed_at_its_limit(start: Start) -> None:
    running = start({"name": "deaf", "arguments": DEAF, "stop_seconds": 0.3})
    pid = running.pid("deaf")
    assert running.end() == 1
    assert is_gone(pid)


def test_a_child_whose_beat_stops_is_started_again(start: Start) -> None:
    """A living process is no proof: here its threads stop taking work while it lives on."""
    code = BEATS + "time.sleep(0.3); alive.clear(); time.sleep(600)"
    running = start(
        {"name": "worker", "arguments": code, "beat_seconds_max": 0.5, "stop_seconds": 0.5}
    )
    first = running.pid("worker")
    running.line("child.stuck")
    assert running.pid("worker") != first
    assert is_gone(first)


def test_a_frozen_child_is_started_again(start: Start) -> None:
    code = BEATS + "time.sleep(600)"
    running = start(
        {"name": "worker", "arguments": code, "beat_seconds_max": 1.0, "stop_seconds": 0.2}
    )
    first = running.pid("worker")
    os.kill(first, signal.SIGSTOP)
    running.line("child.stuck")
    assert running.pid("worker") != first
    assert is_gone(first)


def test_a_child_that_never_beats_is_given_its_start_time_only(start: Start) -> None:
    running = start(
        {
            "name": "worker",
            "arguments": SLEEP,
            "beat_seconds_max": 0.1,
            "first_beat_seconds_max": 0.5,
            "stop_seconds": 0.2,
        }
    )
    first = running.pid("worker")
    assert running.pid("worker") != first


def test_restarts_back_off_and_giving_up_stops_the_others(start: Start) -> None:
    running = start(
        {"name": "broken", "arguments": "raise SystemExit(3)", "failures_max": 3},
        {"name": "worker", "arguments": SLEEP},
    )
    pid = running.pid("worker")
    for wait in ("0.25", "0.5", "1.0"):
        running.line(rf"broken.*exit_code=3.*restart_seconds={wait}")
    assert running.process.wait(DEADLINE_SECONDS) == 1
    assert is_gone(pid)


def test_a_blocked_signal_mask_is_not_passed_on(start: Start) -> None:
    code = (
        "import signal\n"
        "print('blocked', signal.pthread_sigmask(signal.SIG_BLOCK, []), flush=True)\n" + SLEEP
    )
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        running = start({"name": "worker", "arguments": code})
        running.line(r"blocked set\(\)")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
