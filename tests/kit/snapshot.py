"""A database brought back to what it was, exactly, in one call: every row, every sequence.

Nothing is told apart by what changed: what is not put back cannot be trusted, and the whole small
world costs a few milliseconds. Triggers and foreign keys are off meanwhile, append-only ones too.
Tables made since (a month's) are dropped; none may be dropped or altered.
"""

from typing import Any, Final

import psycopg
import sqlalchemy as sa

SWEPT_EVERY: Final = 400
"""Restores between two vacuums: each leaves a world of dead rows behind."""

_TABLES: Final = """
    SELECT format('CREATE TABLE {kept}.%1$I AS TABLE bursar.%1$I', relname) AS keep,
           format('DELETE FROM bursar.%1$I; INSERT INTO bursar.%1$I OVERRIDING SYSTEM VALUE TABLE {kept}.%1$I;',
                  relname) AS restore
    FROM pg_class WHERE relnamespace = 'bursar'::regnamespace AND relkind = 'r' ORDER BY relname"""
_SEQUENCES: Final = """
    SELECT format('PERFORM setval(%L, %s, %L);', format('bursar.%I', sequencename), coalesce(last_value, start_value),
                  last_value IS NOT NULL)
    FROM pg_sequences WHERE schemaname = 'bursar' ORDER BY sequencename"""
_FUNCTION: Final = """
    CREATE FUNCTION {kept}.restore() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
      made regclass;
    BEGIN
      FOR made IN SELECT oid FROM pg_class WHERE relnamespace = 'bursar'::regnamespace AND relkind = 'r'
                  AND to_regclass(format('{kept}.%I', relname)) IS NULL
      LOOP
        EXECUTE format('DROP TABLE %s', made);
      END LOOP;
      {body}
    END $$"""


class Snapshot:
    """What a database held when this was made, in a schema of that database."""

    def __init__(self, superuser_url: str, kept: str = "kept") -> None:
        url = sa.make_url(superuser_url).set(drivername="postgresql")
        self._connection = psycopg.connect(
            url.render_as_string(hide_password=False), autocommit=True
        )
        self._restores = 0
        self._run("SET session_replication_role = replica")
        self._kept = kept
        self._run(f"CREATE SCHEMA {kept}")
        body = []
        for keep, restore in self._run(_TABLES.format(kept=kept)).fetchall():
            self._run(keep)
            body.append(restore)
        body += [restore for (restore,) in self._run(_SEQUENCES).fetchall()]
        self._run(_FUNCTION.format(kept=kept, body="\n".join(body)))

    def restore(self) -> None:
        """Bring everything back, in one transaction."""
        self._restores += 1
        self._run(f"SELECT {self._kept}.restore()")
        if self._restores % SWEPT_EVERY == 0:
            self._run("VACUUM")

    def close(self) -> None:
        """Close its connection; the copy stays in its database."""
        self._connection.close()

    def _run(self, statement: str) -> psycopg.Cursor[Any]:
        return self._connection.execute(statement.encode())
