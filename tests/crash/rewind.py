"""Bring a database back to how it was, row for row, in one statement: much cheaper than a copy of it.

Its tables are kept beside it in a schema of their own; triggers and foreign keys are not asked.
What was made since (a month's partition) goes; tables must not be altered or dropped.
"""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

KEEP: Final = """
DO $$
DECLARE name text;
BEGIN
  CREATE SCHEMA kept;
  FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'bursar'::regnamespace AND relkind = 'r' LOOP
    EXECUTE format('CREATE TABLE kept.%1$I AS TABLE bursar.%1$I', name);
  END LOOP;
  CREATE TABLE kept."the sequences" AS
    SELECT format('%I.%I', schemaname, sequencename)::regclass AS name, last_value, start_value
    FROM pg_sequences WHERE schemaname = 'bursar';
END $$"""

REWIND: Final = """
DO $$
DECLARE name text;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT relname FROM pg_class c WHERE relnamespace = 'bursar'::regnamespace AND relkind = 'r'
  LOOP
    IF to_regclass(format('kept.%I', name)) IS NULL THEN
      EXECUTE format('DROP TABLE bursar.%I', name);
    ELSE
      EXECUTE format('DELETE FROM bursar.%1$I', name);
      EXECUTE format('INSERT INTO bursar.%1$I OVERRIDING SYSTEM VALUE SELECT * FROM kept.%1$I', name);
    END IF;
  END LOOP;
  PERFORM setval(s.name, coalesce(s.last_value, s.start_value), s.last_value IS NOT NULL)
  FROM kept."the sequences" s;
END $$"""


@dataclass(frozen=True, slots=True)
class Rewind:
    """One database, kept as it is when this is made."""

    superuser: sa.Engine

    def __post_init__(self) -> None:
        self._run(KEEP)

    def back(self) -> None:
        """Bring it back. Nobody else may be at work in it."""
        self._run(REWIND)

    def _run(self, statement: str) -> None:
        with self.superuser.begin() as connection:
            connection.execute(sa.text(statement))

    def connections(self, application: str) -> int:
        """How many connections this database has from `application`."""
        question = sa.text(
            """SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = :application"""
        )
        with self.superuser.connect() as connection:
            return int(connection.execute(question, {"application": application}).scalar_one())
