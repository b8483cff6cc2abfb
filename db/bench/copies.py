"""Databases of a benchmark's own, each a copy of one that is migrated: every run begins alike."""

from typing import Final

import sqlalchemy as sa

MAINTENANCE: Final = "postgres"
"""The database from which others are made and dropped."""


def named(url: str, name: str) -> str:
    """Return `url` for another database of the same server."""
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def create(url: str, name: str, template: str) -> None:
    """Make database `name` on the server of `url` from `template`, to which nobody may be connected."""
    _say(url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def drop(url: str, name: str) -> None:
    """Drop database `name`, whoever is still connected."""
    _say(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _say(url: str, statement: str) -> None:
    engine = sa.create_engine(
        named(url, MAINTENANCE), isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
    )
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
