"""One fault that strikes a process from inside at a named point: it dies, freezes, or loses a commit."""

import os
import signal
import socket
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

import sqlalchemy as sa


class Action(StrEnum):
    """What happens to the process."""

    KILL = "kill"
    STOP = "stop"
    LOSE_REPLY = "lose_reply"
    """The commit is executed; its answer never arrives."""
    LOSE_REQUEST = "lose_request"
    """The commit never leaves; the process sees the same error."""


class Point(StrEnum):
    """Where it happens: around a commit, or around a call of the bank."""

    BEFORE_CLAIM = "before_claim"
    AFTER_CLAIM = "after_claim"
    BEFORE_CALL = "before_call"
    AFTER_CALL = "after_call"
    BEFORE_SETTLE = "before_settle"
    AFTER_SETTLE = "after_settle"
    BEFORE_ENQUEUE = "before_enqueue"
    AFTER_ENQUEUE = "after_enqueue"
    BEFORE_END = "before_end"


COMMITS = {
    "UPDATE work w SET token = token.token": "claim",
    "INSERT INTO effect_answers": "settle",
    "INSERT INTO runs": "enqueue",
    "UPDATE runs r SET state = %(state)s": "end",
}
"""What a transaction ran that is of interest, by the words of its statement."""


@dataclass(slots=True, kw_only=True)
class Strike:
    """`action` at the `nth` arrival at `point`; `reference` narrows calls to one payout.

    Arrivals at a call before the nth wait for it, so that all of them are in flight together.
    """

    action: Action
    point: Point
    nth: int = 1
    reference: str = ""
    arrived: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `ACTION:POINT[:NTH[:REFERENCE]]`."""
        action, point, nth, reference, *_ = [*text.split(":"), "", ""]
        return cls(
            action=Action(action), point=Point(point), nth=int(nth or 1), reference=reference
        )

    def __str__(self) -> str:
        return f"{self.action}:{self.point}:{self.nth}:{self.reference}"

    def arrive(self, connection: sa.Connection | None = None) -> None:
        """Count one arrival, and strike if it is its turn."""
        with self.lock:
            self.arrived += 1
            mine = self.arrived
        if mine < self.nth and self.point in {Point.BEFORE_CALL, Point.AFTER_CALL}:
            threading.Event().wait()
        if mine == self.nth:
            self._strike(connection)

    def _strike(self, connection: sa.Connection | None) -> None:
        match self.action:
            case Action.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Action.STOP:
                # To this very thread: sent to the process, another thread may take it, a little later.
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
            case Action.LOSE_REPLY:
                _cut(connection, socket.SHUT_RD)
            case Action.LOSE_REQUEST:
                _cut(connection, socket.SHUT_RDWR)


def _cut(connection: sa.Connection | None, how: int) -> None:
    driver = connection and connection.connection.driver_connection
    assert driver
    peer = socket.socket(fileno=os.dup(driver.fileno()))
    peer.shutdown(how)
    peer.close()
