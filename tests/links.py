"""Databases that are opened once for many tests: to connect costs a server more than what a small test asks of it.

What a test closes on a database that is lent (`tests.lending`) stays open for the next one that opens the same,
connected and with its statements planned. Two at a time never share one, and a forked process has none of them.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from db.engine import Database, DatabaseOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One open database."""

    database: Database
    pids: list[int] = field(default_factory=list)
    """The server's processes behind its connections, of those it had too."""

    def note(self, driver: Any, _record: object) -> None:  # noqa: ANN401  the driver's
        """Hear of a new connection."""
        self.pids.append(driver.info.backend_pid)


class Links:
    """Open databases of this process that nobody uses now, by the URL of what is lent."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._idle: dict[str, list[Link]] = {}

    def keep(self, url: str) -> None:
        """From here on, what is opened at `url` is kept."""
        self._idle[url] = []

    def forget(self, url: str) -> None:
        """Close what is kept of `url`, and keep nothing more."""
        for link in self._idle.pop(url):
            link.database.dispose()

    def pids(self, url: str) -> list[int]:
        """The server's processes behind what is kept of `url`."""
        return [pid for link in self._idle[url] for pid in link.pids]

    @contextmanager
    def opened(
        self, options: DatabaseOptions, made: Callable[[Database], None] = lambda _: None
    ) -> Iterator[Database]:
        """A database that nobody else uses meanwhile; `made` is told of one that was not there before."""
        link = self._taken(options, made)
        try:
            yield link.database
        finally:
            pool = link.database.engine.pool
            if self._is_kept(options.url) and isinstance(pool, QueuePool) and not pool.checkedout():
                self._idle[options.url].append(link)
            else:
                link.database.dispose()

    def _taken(self, options: DatabaseOptions, made: Callable[[Database], None]) -> Link:
        idle = self._idle[options.url] if self._is_kept(options.url) else []
        found = [link for link in idle if link.database.options == options]
        if found:
            idle.remove(found[-1])
            return found[-1]
        link = Link(database=Database(options))
        sa.event.listen(link.database.engine, "connect", link.note)
        made(link.database)
        return link

    def _is_kept(self, url: str) -> bool:
        return url in self._idle and os.getpid() == self._process


LINKS: Final = Links()
"""Those of this process."""
