"""What is to be done later in a storm, such as thawing what was frozen; done by the main thread alone."""

import heapq
import itertools
import time
from collections.abc import Callable

Act = Callable[[], object]


class Agenda:
    """Acts with the moments they are due at (monotonic seconds)."""

    def __init__(self) -> None:
        self._acts: list[tuple[float, int, Act]] = []
        self._numbers = itertools.count()

    def later(self, seconds: float, act: Act) -> None:
        """Do `act` in so many seconds; one that returns False is tried again a moment later."""
        heapq.heappush(self._acts, (time.monotonic() + seconds, next(self._numbers), act))

    def do_due(self) -> None:
        """Do what is due."""
        while self._acts and self._acts[0][0] <= time.monotonic():
            self._do(heapq.heappop(self._acts)[2])

    def do_all(self) -> None:
        """Do everything now, in its order."""
        acts, self._acts = sorted(self._acts), []
        for _, _, act in acts:
            self._do(act)

    def _do(self, act: Act) -> None:
        if act() is False:
            self.later(0.25, act)
