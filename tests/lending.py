"""Databases lent to one test after another: brought back to what they were, where a new one costs far more.

Making and dropping a database is half of what a small test costs. One whose schema, settings or
size a test changed is not lent again.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from tests.kit.snapshot import Snapshot
from tests.servers import Databases

KEPT: Final = "lent"
"""The schema that remembers what a database was; a test may keep a copy of its own beside it."""
BYTES_MAX: Final = 64 * 1_048_576
"""What a database may have grown to, to be brought back."""
GONE_MS: Final = 5_000
"""How long a connection that a test left may take to end."""
_END: Final = """
    SELECT coalesce(bool_and(pg_terminate_backend(pid, %s)), true) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
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


class Lender:
    """Lends copies of one template, one at a time, and takes them back."""

    def __init__(self, databases: Databases, template: str) -> None:
        self._databases, self._template = databases, template
        self._idle: list[tuple[str, str, ExitStack]] = []

    @contextmanager
    def lend(self) -> Iterator[str]:
        """A database that is as the template; its name."""
        name, shape, kept = self._idle.pop() if self._idle else self._make()
        with kept:
            yield name
            if self._brought_back(name, shape):
                self._idle.append((name, shape, kept.pop_all()))

    def close(self) -> None:
        """Drop what is not lent."""
        for _, _, kept in self._idle:
            kept.close()

    def _make(self) -> tuple[str, str, ExitStack]:
        kept = ExitStack()
        name = kept.enter_context(self._databases.database(self._template))
        Snapshot(self._databases.superuser_url(name), KEPT).close()
        with self._connected(name) as connection:
            return name, self._shape(connection), kept

    def _brought_back(self, name: str, shape: str) -> bool:
        """Bring the database back; False where it is not what it was, and never will be."""
        with self._connected(name) as connection:
            ended = connection.execute(_END, (GONE_MS,)).fetchone()
            size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            if ended != (True,) or size is None or size[0] > BYTES_MAX:
                return False
            if self._shape(connection) != shape:
                return False
            connection.execute("SET session_replication_role = replica")
            connection.execute(f"SELECT {KEPT}.restore()")
            return True

    def _connected(self, name: str) -> psycopg.Connection[tuple[Any, ...]]:
        url = sa.make_url(self._databases.superuser_url(name)).set(drivername="postgresql")
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)

    @staticmethod
    def _shape(connection: psycopg.Connection[tuple[Any, ...]]) -> str:
        found = connection.execute(_SHAPE).fetchone()
        return str(found)
