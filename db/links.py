"""Whether a connection that lay in the pool is still there, asked without a round trip.

A server that ended a session has closed its socket, and so have the keep-alives of a dead network:
an idle socket then has something to read. A healthy one says nothing by itself.
"""

import select
from typing import Final

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

NOW: Final = 0
USED: Final = "used"


def look_before_use(engine: sa.Engine) -> None:
    """Let every connection of `engine` be looked at when it is taken from the pool, and replaced where it is gone."""

    def look(driver: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        if USED not in record.info:  # just made, as is what replaces a lost one
            record.info[USED] = True
            return
        try:
            if _speaks(driver.fileno()):  # its end, or a word such as that a setting was changed
                engine.dialect.do_ping(driver)
        except psycopg.Error as error:
            raise InvalidatePoolError from error

    sa.event.listen(engine, "checkout", look)


def _speaks(fileno: int) -> bool:
    poll = select.poll()
    poll.register(fileno, select.POLLIN)
    return bool(poll.poll(NOW))
