"""The workers of a drain, seen by their parent: started together, woken as the bell would, waited for."""

import queue
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from domain.errors import BrokenError
from workers.bench.child import Orders
from workers.bench.talkers import Said, say, talkers

READY_SECONDS_MAX: Final = 120.0


@dataclass(slots=True, kw_only=True)
class Crew:
    """Child processes, what they say, and what they used."""

    children: list[subprocess.Popen[str]]
    heard: "queue.SimpleQueue[tuple[int, Said]]"
    idle: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    """Runs that were rung for while nobody was idle."""
    cpu_seconds: float = 0.0
    megabytes: float = 0.0
    """Resident memory of the largest child."""
    longest_seconds: float = 0.0
    """The longest transaction of any child."""
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
            say(self.children[self.idle.pop(0)], str(self.waiting.pop(0)))

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
            case {"cpu_seconds": used, "state": state}:
                self.cpu_seconds += used
                self.megabytes = max(self.megabytes, told["megabytes"])
                self.longest_seconds = max(self.longest_seconds, told["longest_seconds"])
                self.states.append(state)
                self.idle.append(child)
            case _:
                self.idle.append(child)


@contextmanager
def crew(orders: Orders, processes: int) -> Iterator[Crew]:
    """Yield children that are ready; they have ended afterwards. Raises `BrokenError`."""
    heard: queue.SimpleQueue[tuple[int, Said]] = queue.SimpleQueue()
    with talkers(
        Orders.__module__,
        orders.as_argument(),
        count=processes,
        hear=lambda number, said: heard.put((number, said)),
    ) as children:
        made = Crew(children=children, heard=heard)
        made.ready()
        yield made
