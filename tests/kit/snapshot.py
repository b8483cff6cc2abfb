"""A database brought back to what it was, exactly, in one call: every row, every sequence.

Nothing is told apart by what changed: what is not put back cannot be trusted, and the whole small
world costs a few milliseconds. Triggers and foreign keys are off meanwhile, append-only ones too.
Tables made since (a month's) are dropped; none may be dropped or altered.
"""

from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg.rows import namedtuple_row

SWEPT_EVERY: Final = 400
"""Restores between two vacuums: each leaves a world of dead rows behind."""

_TABLES: Final = """
    SELECT relname, format('SELECT %1$L WHERE EXISTS (SELECT FROM bursar.%1$I)', relname) AS has_rows,
           format('CREATE TEMPORARY TABLE %1$I AS TABLE bursar.%1$I', relname) AS keep,
           format('DELETE FROM bursar.%1$I;', relname) AS empty,
           format('INSERT INTO bursar.%1$I (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM pg_temp.%1$I;',
                  relname, (
                    -- What is computed from a row is no part of it.
                    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
                    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '')) AS fill
    FROM pg_class c WHERE relnamespace = 'bursar'::regnamespace AND relkind = 'r' ORDER BY relname"""
_SEQUENCES: Final = """
    SELECT format('PERFORM setval(%L, %s, %L);', format('bursar.%I', sequencename), coalesce(last_value, start_value),
                  last_value IS NOT NULL)
    FROM pg_sequences WHERE schemaname = 'bursar' ORDER BY sequencename"""
_FUNCTION: Final = """
    CREATE FUNCTION pg_temp.restore() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
      made regclass;
    BEGIN
      FOR made IN SELECT oid FROM pg_class WHERE relnamespace = 'bursar'::regnamespace AND relkind = 'r'
                  AND relname <> ALL ('{{{names}}}')
      LOOP
        EXECUTE format('DROP TABLE %s', made);
      END LOOP;
      {body}
    END $$"""


class Snapshot:
    """What a database held when this was made, in temporary tables of a superuser's connection.

    They are gone with the connection, and nobody else sees them.
    """

    def __init__(self, superuser_url: str) -> None:
        url = sa.make_url(superuser_url).set(drivername="postgresql")
        self.connection = psycopg.connect(
            url.render_as_string(hide_password=False), autocommit=True
        )
        self._restores = 0
        self.connection.execute("SET session_replication_role = replica")
        tables: list[Any] = (
            self.connection.cursor(row_factory=namedtuple_row).execute(_TABLES).fetchall()
        )
        # Of what is empty, and most tables are, there is nothing to keep.
        asked = " UNION ALL ".join(table.has_rows for table in tables)
        filled = {name for (name,) in self.connection.execute(asked.encode())}
        with self.connection.transaction():
            for table in tables:
                if table.relname in filled:
                    self.connection.execute(table.keep)
        body = [table.empty + (table.fill if table.relname in filled else "") for table in tables]
        body += [restore for (restore,) in self.connection.execute(_SEQUENCES).fetchall()]
        names = ",".join(table.relname for table in tables)
        function = _FUNCTION.format(names=names, body="\n".join(body))
        self.connection.execute(function.encode())

    def restore(self) -> None:
        """Bring everything back, in one transaction."""
        self._restores += 1
        self.connection.execute("SELECT pg_temp.restore()")
        if self._restores % SWEPT_EVERY == 0:
            self.connection.execute("VACUUM")

    def close(self) -> None:
        """Close its connection, and forget."""
        self.connection.close()
