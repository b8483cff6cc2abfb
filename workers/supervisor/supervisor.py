"""Keep children running until asked to stop, then stop them in order; one loop, in one thread."""

import itertools
import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

import structlog

from workers.supervisor.child import Child
from workers.supervisor.output import Output
from workers.supervisor.programs import Program

LOOK_SECONDS: Final = 0.1
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
KILLED_SECONDS: Final = 5.0
"""How long the kernel may take to end a process that got SIGKILL."""

_log = structlog.get_logger(__name__)


class Supervisor:
    """Children of several programs. `run` does it all; `start`, `tend`, `stop` are its parts."""

    def __init__(self, programs: Sequence[Program], output: Output) -> None:
        self.children = [
            Child(program, name, output) for program in programs for name in program.names()
        ]
        self._asked = False
        self._waker: tuple[int, int] | None = None

    @property
    def asked_to_stop(self) -> bool:
        """Whether one of the stop signals came."""
        return self._asked

    def run(self, until: Callable[[], bool] = lambda: False) -> int:
        """Run until a stop signal, `until()`, or a child that cannot be kept running; stop all.

        Returns 0 where every child ended in time and by itself when asked to, else 1.
        """
        before = {number: signal.signal(number, self._note) for number in STOP_SIGNALS}
        reader, writer = os.pipe()
        for end in (reader, writer):
            os.set_blocking(end, False)
        self._waker = (reader, writer)
        try:
            self.start()
            while not (self._asked or until() or self.given_up()):
                self.tend()
            hopeless = self.given_up()
            return 1 if not self.stop() or hopeless else 0
        finally:
            self.stop()
            for number, handler in before.items():
                signal.signal(number, handler)
            self._waker = None
            os.close(reader)
            os.close(writer)

    def start(self) -> None:
        """Start every child."""
        for child in self.children:
            if self._asked:
                return
            child.start()

    def tend(self, wait_seconds: float = LOOK_SECONDS) -> None:
        """Wait a moment (a signal ends it), then look after each child."""
        if self._waker is None:
            time.sleep(wait_seconds)
        else:
            select.select([self._waker[0]], [], [], wait_seconds)
        for child in self.children:
            if self._asked:
                return
            child.tend()

    def given_up(self) -> bool:
        """Whether some child failed as often in a row as its program allows."""
        return any(
            child.program.failures_max is not None and child.failures >= child.program.failures_max
            for child in self.children
        )

    def stop(self) -> bool:
        """Stop the children in order; True where all ended in time and without an error."""
        clean = True
        by_order = sorted(self.children, key=lambda child: child.program.stop_order)
        for _, group in itertools.groupby(by_order, key=lambda child: child.program.stop_order):
            clean &= _stop_together(list(group))
        return clean

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if not self._asked:
            self._asked = True
            if self._waker is not None:
                os.write(self._waker[1], b".")


def _stop_together(children: list[Child]) -> bool:
    running = [child for child in children if child.running]
    for child in running:
        child.ask_to_stop()
    asked = time.monotonic()
    while late := [child for child in running if child.running]:
        for child in late:
            waited_seconds = time.monotonic() - asked
            if waited_seconds > child.program.stop_seconds + KILLED_SECONDS:
                _log.error("child.unkillable", child=child.name, pid=child.pid)
                return False
            if waited_seconds > child.program.stop_seconds:
                child.kill()
        time.sleep(LOOK_SECONDS / 5)
    codes = {child.name: child.reap() for child in children}
    asked_names = {child.name for child in running}
    bad = {n: c for n, c in codes.items() if n in asked_names and c not in {0, -signal.SIGTERM}}
    if bad:
        _log.warning("children.ended_badly", exit_codes=bad)
    return not bad
