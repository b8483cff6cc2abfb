"""Databases of a benchmark's own, each a copy of one that is migrated: every run begins alike."""

from typing import Final

import sqlalchemy as sa

MAINTENANCE: Final = "postgres"
"""The database from which others are made and dropped."""


def named(url: str, name: str) -> str:
    """Return `url` for another database of the same server."""
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def name_of(url: str) -> str:
    """Return the name of the database that `url` leads to."""
    return str(sa.make_url(url).database)


def create(superuser_url: str, name: str, *, template: str, owner: str) -> None:
    """Make database `name` from `template`, to which nobody may be connected."""
    _say(
        superuser_url,
        MAINTENANCE,
        f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER "{owner}"',
    )


def drop(superuser_url: str, name: str) -> None:
    """Drop database `name`, whoever is still connected: an autovacuum only a superuser may end."""
    _say(superuser_url, MAINTENANCE, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def settle(superuser_url: str, name: str) -> None:
    """Clean up after a database was filled, so that nobody does while something is measured."""
    _say(superuser_url, name, "VACUUM (ANALYZE)")
    _say(superuser_url, name, "CHECKPOINT")


def _say(superuser_url: str, name: str, statement: str) -> None:
    """Run one statement in database `name`."""
    engine = sa.create_engine(
        named(superuser_url, name), isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
    )
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
