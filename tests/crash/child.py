"""The process that dies: forked from a warm one, it does what its world says, and is gone at one point.

`os._exit` at the point: no cleanup, no rollback, no goodbye, in no thread. The product is as it is;
events of SQLAlchemy and a proxy around each port are put there from outside.
"""

import os
import socket
import threading
import traceback
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, NoReturn

import sqlalchemy as sa

from domain.batching import BatchPolicy
from domain.errors import ExpectedError
from domain.tax import Withholding
from domain.waitlist import OfferPolicy
from jobs.catalog import Ports
from tests.crash.points import Fault, How, Point, Side
from tests.kit.world import Fakes, World, doors, scene

DIED = 70
"""The exit code of a process that reached its point."""
DYING = "bursar dying"
"""How its connections call themselves."""
COMMITTING = "committing"
LAST = "last"
WORDS_MAX = 60
LOCAL = {"freeze", "freeze_order", "freeze_refund"}
"""What a port answers by itself: pure, and asked inside a transaction."""
INSIDE = (float, tuple, Withholding, BatchPolicy, OfferPolicy, type(None))
"""What a job is made from that is not outside: limits and policies."""

Call = tuple[str, str, tuple[Any, ...]]
"""A call of the world outside: the port's name, its method, what it is given."""


class Guide:
    """Counts the points of each thread, and lets happen what is to happen."""

    def __init__(self, fault: Fault | None) -> None:
        self.fault = fault
        self.points: list[Point] = []
        self._numbers: dict[tuple[str, Side, str], int] = {}
        self._lock = threading.Lock()

    def arrive(self, side: Side, what: str, connection: sa.Connection | None = None) -> None:
        """Pass one point, or fall."""
        thread = threading.current_thread().name.partition("-")[0].removesuffix("Thread").lower()
        with self._lock:
            place = (thread, side, what)
            number = self._numbers[place] = self._numbers.get(place, 0) + 1
            self.points.append(point := Point(*place, number))
        if self.fault and self.fault.point == str(point):
            strike(self.fault.how, connection)

    def listen(self) -> None:
        """Attach to every engine of this process."""
        sa.event.listen(sa.Engine, "before_cursor_execute", self._before)
        sa.event.listen(sa.Engine, "after_cursor_execute", self._after)
        sa.event.listen(sa.Engine, "commit", self._commit)
        sa.event.listen(sa.Pool, "checkin", self._checkin)

    def _before(self, on: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        is_single = on.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
        self.arrive(Side.SINGLE if is_single else Side.BEFORE, words(statement), on)

    def _after(self, on: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        on.info[LAST] = words(statement)
        self.arrive(Side.AFTER, words(statement), on)

    def _commit(self, connection: sa.Connection) -> None:
        connection.info[COMMITTING] = what = f"COMMIT after {connection.info.pop(LAST, 'nothing')}"
        self.arrive(Side.COMMIT, what, connection)

    def _checkin(self, _driver: object, record: Any) -> None:  # noqa: ANN401  a pool's own
        if what := record.info.pop(COMMITTING, ""):
            self.arrive(Side.COMMITTED, what)


def words(statement: str) -> str:
    """A statement's first words, without its comments."""
    lines = (line.partition("--")[0] for line in statement.splitlines())
    return " ".join(" ".join(lines).split())[:WORDS_MAX]


def strike(how: How, connection: sa.Connection | None) -> None:
    """Die, or lose the connection and live on."""
    if how is How.DIE:
        os._exit(DIED)
    driver: Any = connection and connection.connection.driver_connection
    assert driver
    if how is How.DIE_SENDING:
        driver.pgconn.send_query(b"COMMIT")
        driver.pgconn.flush()
        os._exit(DIED)
    with socket.socket(fileno=os.dup(driver.fileno())) as peer:
        peer.shutdown(socket.SHUT_RD if how is How.CUT_REPLY else socket.SHUT_RDWR)


class Away:
    """A port whose real end is in the process that survives: it remembers what was asked of it."""

    def __init__(self, port: object, call: Callable[[str, tuple[Any, ...]], Any]) -> None:
        self._port, self._call = port, call

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the port has
        found = getattr(self._port, name)
        return partial(self._ask, name) if callable(found) and name not in LOCAL else found

    def _ask(self, method: str, *given: Any) -> Any:  # noqa: ANN401  the same
        return self._call(method, given)


class Line:
    """To the process that survives: calls of the world outside, and what this one has to say at its end."""

    def __init__(self, connection: Connection, guide: Guide) -> None:
        self._connection, self._guide = connection, guide
        self._lock = threading.Lock()

    def through(self, ports: Ports) -> Ports:
        """The same ports, at the other end of this line."""
        there = {
            f.name: Away(port, partial(self._call, f.name))
            for f in fields(ports)
            if not isinstance(port := getattr(ports, f.name), INSIDE)
        }
        return replace(ports, **there)  # type: ignore[arg-type]  # each stands for its port

    def _call(self, port: str, method: str, given: tuple[Any, ...]) -> Any:  # noqa: ANN401  the port's own
        self._guide.arrive(Side.CALLING, f"{port}.{method}")
        with self._lock:
            self._connection.send((port, method, given))
            answer = self._connection.recv()
        self._guide.arrive(Side.CALLED, f"{port}.{method}")
        return answer

    def end(self, said: list[Point] | str) -> None:
        """Say what was passed, or what broke."""
        with self._lock:
            self._connection.send(said)


def live(
    world: World, url: str, fakes: Fakes, connection: Connection, fault: Fault | None
) -> NoReturn:
    """Be that process."""
    guide = Guide(fault)
    line = Line(connection, guide)
    try:
        guide.listen()
        with doors(url, DYING) as opened:
            try:
                world.act(scene(opened, fakes, bounds=world.in_step, through=line.through))
            except ExpectedError as error:  # a process says so and goes on
                guide.points.append(Point("end", Side.AFTER, type(error).__name__, 1))
            line.end(guide.points)
            os._exit(0)
    except BaseException:
        line.end(traceback.format_exc())
        raise
    finally:  # whatever it was: this process was never to be anything else
        os._exit(1)
