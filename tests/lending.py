"""Databases lent to one test after another: brought back to what they were, where a new one costs far more.

Making and dropping a database is half of what a small test costs. One whose schema, roles' settings
or size a test changed is not lent again.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from tests.kit.snapshot import Snapshot
from tests.links import LINKS
from tests.servers import Databases

BYTES_MAX: Final = 64 * 1_048_576
"""What a database may have grown to, to be brought back."""
GONE_MS: Final = 5_000
"""How long a connection that a test left may take to end."""
_END: Final = """
    SELECT coalesce(bool_and(pg_terminate_backend(pid, %s)), true) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
      AND pid <> ALL (%s)"""
_SHAPE: Final = """
    WITH own AS (SELECT oid, nspname, nspacl FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$'),
    relation AS (SELECT c.* FROM pg_class c JOIN own ON own.oid = c.relnamespace)
    SELECT md5(string_agg(line, ' ' ORDER BY line)) FROM (
      SELECT concat_ws(' ', oid, relname, relkind, relowner, relacl, reloptions) FROM relation
      UNION ALL SELECT concat_ws(' ', attrelid, attname, atttypid, attnotnull, attacl)
        FROM pg_attribute WHERE attrelid IN (SELECT oid FROM relation)
      UNION ALL SELECT concat_ws(' ', proname, prosrc, proconfig, proacl)
        FROM pg_proc WHERE pronamespace IN (SELECT oid FROM own)
      UNION ALL SELECT concat_ws(' ', conrelid, conname, convalidated, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE conrelid IN (SELECT oid FROM relation)
      UNION ALL SELECT concat_ws(' ', tgrelid, tgname, tgenabled)
        FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM relation)
      UNION ALL SELECT concat_ws(' ', nspname, nspacl) FROM own
      UNION ALL SELECT concat_ws(' ', setrole, setconfig) FROM pg_db_role_setting
        WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))) s (line)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """One database that is lent, with what it was."""

    name: str
    url: str
    shape: str
    snapshot: Snapshot


class Lender:
    """Lends copies of one template, one at a time, and takes them back."""

    def __init__(self, databases: Databases, template: str) -> None:
        self._databases, self._template = databases, template
        self._idle: list[tuple[Lent, ExitStack]] = []

    @contextmanager
    def lend(self) -> Iterator[str]:
        """A database that is as the template; its name."""
        lent, held = self._idle.pop() if self._idle else self._make()
        with held:
            yield lent.name
            if _brought_back(lent):
                self._idle.append((lent, held.pop_all()))

    def close(self) -> None:
        """Drop what is not lent."""
        for _, held in self._idle:
            held.close()

    def _make(self) -> tuple[Lent, ExitStack]:
        held = ExitStack()
        name = held.enter_context(self._databases.database(self._template))
        url = self._databases.url(name)
        LINKS.keep(url)
        held.callback(LINKS.forget, url)
        snapshot = held.enter_context(closing(Snapshot(self._databases.superuser_url(name))))
        return Lent(name=name, url=url, shape=_shape(snapshot.connection), snapshot=snapshot), held


def _brought_back(lent: Lent) -> bool:
    """Bring the database back; False where it is not what it was, and never will be."""
    connection = lent.snapshot.connection
    try:
        ended = connection.execute(_END, (GONE_MS, LINKS.pids(lent.url))).fetchone()
        size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        connection.execute(f'ALTER DATABASE "{lent.name}" RESET ALL')
        if ended != (True,) or size is None or size[0] > BYTES_MAX:
            return False
        if _shape(connection) != lent.shape:
            return False
        lent.snapshot.restore()
    except psycopg.OperationalError:  # a test ended every connection there was
        return False
    return True


def _shape(connection: psycopg.Connection[Any]) -> str:
    found = connection.execute(_SHAPE).fetchone()
    return str(found)
