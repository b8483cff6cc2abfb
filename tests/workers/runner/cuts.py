"""Cut the connection on one COMMIT: the request never leaves, or its reply never arrives.

`shutdown(SHUT_RD)` lets the request out, and it is executed, but the client reads an end of file;
`SHUT_RDWR` keeps the request. The client sees the same error in both.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

import sqlalchemy as sa

from db.engine import Database


class Lost(Enum):
    """What of the commit is lost."""

    REPLY = socket.SHUT_RD
    REQUEST = socket.SHUT_RDWR


CLAIM = "UPDATE work w SET token = token.token"
SETTLE = "INSERT INTO effect_answers"
CONFIRM = "SELECT subject FROM locked WHERE token = mine"
EVIDENT = "a.token = h.token"
ENTER = "INSERT INTO leases AS l"
LEAVE = "DELETE FROM leases WHERE name"
MARK = "to be cut"


@contextmanager
def cut(database: Database, statement: str, lost: Lost) -> Iterator[threading.Event]:
    """Cut the first commit of a transaction that ran `statement`; the event tells that it happened."""
    done, mine = threading.Event(), f"{MARK} after {statement}"

    def mark(connection: sa.Connection, _cursor: object, text: str, *_: object) -> None:
        if statement in text:
            connection.info[mine] = True

    def commit(connection: sa.Connection) -> None:
        if connection.info.pop(mine, False) and not done.is_set():
            done.set()
            driver = connection.connection.driver_connection
            assert driver is not None
            peer = socket.socket(fileno=os.dup(driver.fileno()))
            peer.shutdown(lost.value)
            peer.close()

    sa.event.listen(database.engine, "before_cursor_execute", mark)
    sa.event.listen(database.engine, "commit", commit)
    try:
        yield done
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", mark)
        sa.event.remove(database.engine, "commit", commit)
