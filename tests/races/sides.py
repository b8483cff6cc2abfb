"""One side of a race: a thread that stands still before each of its steps until it is told to go on.

A step is a statement, a commit or a call outside. Who takes it is known by the thread, so whatever
the product does on the way (pools, retries, transactions of its own) needs to know nothing of it.
"""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import PurePath
from typing import Any, Final

import sqlalchemy as sa

STILL_SECONDS_MAX: Final = 60.0
"""How long a side stands still before the race is called broken."""
PLUMBING: Final = {"tx", "engine"}
DEADLOCK: Final = "40P01"

_here = threading.local()


class Side:
    """What one side does, where it stands, and how it ended."""

    def __init__(self, letter: str, act: Callable[[], object]) -> None:
        self.letter = letter
        self.label: str | None = None
        """The step it stands before; None once it has ended."""
        self.pid = 0
        """Of the connection of its latest statement."""
        self.waits = False
        """Its step is under way and waits for a lock that another side has."""
        self.is_moving = True
        self.deadlocks = 0
        """How often Postgres broke it off to end a circle of waits."""
        self._act = act
        self._stands = threading.Event()
        self._go = threading.Semaphore(0)
        self._is_free = False
        self._thread = ThreadPoolExecutor(1, f"side-{letter}")
        self._future: Future[object]

    @property
    def has_ended(self) -> bool:
        """Whether it has nothing left to do."""
        return self.label is None and not self.is_moving

    @property
    def can_go(self) -> bool:
        """Whether it stands before a step."""
        return self.label is not None and not self.is_moving

    @property
    def error(self) -> BaseException | None:
        """What it was told instead of a result, once it has ended."""
        return self._future.exception(STILL_SECONDS_MAX)

    @property
    def result(self) -> Any:  # noqa: ANN401 - a side's own
        """What it returned, once it has ended; None where it was told an error."""
        return None if self.error else self._future.result()

    def start(self) -> None:
        """Let it come to its first step."""
        self._future = self._thread.submit(self._run)
        self._thread.shutdown(wait=False)

    def go(self) -> None:
        """Let it take the step it stands before."""
        self._stands.clear()
        self.is_moving = True
        self._go.release()

    def comes_to_stand(self, seconds: float) -> bool:
        """Wait at most so long for it to stand before its next step, or to end."""
        if self._stands.wait(seconds):
            self.is_moving = self.waits = False
        return not self.is_moving

    def end(self) -> None:
        """Let it run to its end without standing still again."""
        self._is_free = True
        self._go.release()
        self._future.exception(STILL_SECONDS_MAX)

    def stand(self, label: str, pid: int | None) -> None:
        """Stand before a step until told to go on (called by its own thread)."""
        if self._is_free:
            return
        self.label, self.pid = label, pid or self.pid
        self._stands.set()
        assert self._go.acquire(timeout=STILL_SECONDS_MAX), f"side {self.letter} was forgotten"

    def _run(self) -> object:
        _here.side = self
        try:
            return self._act()
        finally:
            self.label = None
            self._stands.set()


def step(label: str, pid: int | None = None) -> None:
    """Be a step of whoever is on this thread; of nobody when no side is."""
    side: Side | None = getattr(_here, "side", None)
    if side is not None:
        side.stand(label, pid)


def watch(engine: sa.Engine) -> None:
    """Make every statement and every commit on `engine` a step."""
    sa.event.listen(engine, "before_cursor_execute", _before_statement)
    sa.event.listen(engine, "commit", _before_commit)
    sa.event.listen(engine, "handle_error", _after_error)


def _before_statement(connection: sa.Connection, _cursor: object, sql: str, *_: object) -> None:
    step(_told_by() or " ".join(sql.split())[:80], _pid(connection))


def _before_commit(connection: sa.Connection) -> None:
    step("COMMIT", _pid(connection))


def _after_error(context: sa.ExceptionContext) -> None:
    side: Side | None = getattr(_here, "side", None)
    if side is not None and getattr(context.original_exception, "sqlstate", None) == DEADLOCK:
        side.deadlocks += 1


def _pid(connection: sa.Connection) -> int:
    driver: Any = connection.connection.driver_connection
    return int(driver.info.backend_pid)


def _told_by() -> str | None:
    """The row function whose statement this is: module.function."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        path = PurePath(frame.f_code.co_filename)
        if "db" in path.parts[-3:-1] and path.stem not in PLUMBING:
            return f"{path.stem}.{frame.f_code.co_name}"
    return None
