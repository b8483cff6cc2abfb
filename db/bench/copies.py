"""Databases of a benchmark's own, each a copy of one that is migrated: every run begins alike."""

from typing import Final

import sqlalchemy as sa

MAINTENANCE: Final = "postgres"
"""The database from which others are made and dropped."""


def named(url: str, name: str) -> str:
    """Return `url` for another database of the same server."""
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def create(superuser_url: str, name: str, *, template: str, owner: str) -> None:
    """Make database `name` from `template`, to which nobody may be connected."""
    _say(superuser_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER "{owner}"')


def drop(superuser_url: str, name: str) -> None:
    """Drop database `name`, whoever is still connected: an autovacuum only a superuser may end."""
    _say(superuser_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _say(url: str, statement: str) -> None:
    engine = sa.create_engine(
        named(url, MAINTENANCE), isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
    )
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
