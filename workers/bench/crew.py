"""The workers of a drain, seen by their parent: started together, woken as the bell would, waited for."""

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from domain.errors import BrokenError
from workers.bench.child import Orders

READY_SECONDS_MAX: Final = 30.0
STOP_SECONDS_MAX: Final = 30.0


@dataclass(slots=True, kw_only=True)
class Crew:
    """Child processes, what they say, and what they used."""

    children: list[subprocess.Popen[str]]
    heard: "queue.SimpleQueue[tuple[int, dict[str, Any]]]" = field(
        default_factory=queue.SimpleQueue
    )
    idle: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    """Runs that were rung for while nobody was idle."""
    cpu_seconds: float = 0.0
    megabytes: float = 0.0
    """Resident memory of the largest child."""
    states: list[str | None] = field(default_factory=list)

    def ready(self) -> None:
        """Wait until every child has connected. Raises `BrokenError` where one does not."""
        while len(self.idle) < len(self.children):
            self._hear(READY_SECONDS_MAX)

    def drain(self, first: int, seconds_max: float) -> None:
        """Let a child take run `first` and others what it rings for, until all are idle again.

        Raises `BrokenError` where that takes longer than `seconds_max`, or a child ends.
        """
        limit = time.monotonic() + seconds_max
        self.waiting.append(first)
        self._hand_out()
        while len(self.idle) < len(self.children):
            self._hear(limit - time.monotonic())
            self._hand_out()

    def _hand_out(self) -> None:
        while self.idle and self.waiting:
            stdin = self.children[self.idle.pop(0)].stdin
            if stdin is None:
                raise AssertionError("a child's input is a pipe")
            stdin.write(f"{self.waiting.pop(0)}\n")
            stdin.flush()

    def _hear(self, seconds: float) -> None:
        try:
            child, told = self.heard.get(timeout=max(0.0, seconds))
        except queue.Empty as error:
            raise BrokenError("a worker of the benchmark is silent for too long") from error
        match told:
            case {"gone": _}:
                raise BrokenError(f"worker {child} of the benchmark ended before its time")
            case {"rung": list(runs)}:
                self.waiting += runs
            case {"cpu_seconds": used, "megabytes": megabytes, "state": state}:
                self.cpu_seconds += used
                self.megabytes = max(self.megabytes, megabytes)
                self.states.append(state)
                self.idle.append(child)
            case _:
                self.idle.append(child)


@contextmanager
def crew(orders: Orders, processes: int) -> Iterator[Crew]:
    """Yield started children; they have ended afterwards."""
    made = Crew(children=[])
    try:
        for number in range(processes):
            made.children.append(
                subprocess.Popen(
                    [sys.executable, "-m", Orders.__module__, orders.as_argument()],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            threading.Thread(target=_listen, args=(made, number), daemon=True).start()
        made.ready()
        yield made
    finally:
        for child in made.children:
            _end(child)


def _listen(made: Crew, number: int) -> None:
    stdout = made.children[number].stdout
    for line in stdout or ():
        with suppress(ValueError):  # a log line
            made.heard.put((number, json.loads(line)))
    made.heard.put((number, {"gone": True}))


def _end(child: subprocess.Popen[str]) -> None:
    if child.stdin is not None:
        with suppress(BrokenPipeError):
            child.stdin.close()
    try:
        child.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
