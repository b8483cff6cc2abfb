"""What a release does to the database, in order: schema to head, catalog, binding, server."""

from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

from db import installation, migrate, seed
from db.engine import Database
from db.errors import translate
from db.installation import Installation

CatalogRow = tuple[str, str, str, int, str]
"""(job, queue, shape, version, summary)"""


def release(
    database: Database, jobs: Sequence[CatalogRow], *, provider: str | None, account: str | None
) -> Installation:
    """Bring the database to where this version's processes may start; running it again changes nothing.

    `database` acts as its login, who may make roles. Raises `RefusedError` for a schema that is not
    ours or another provider account, `UnreachableError` where the database does not answer.
    """
    try:
        migrate.upgrade(database.engine, database.options.schema)
    except DBAPIError as error:
        raise translate(error, committing=False) from error
    with database.begin() as tx:
        if jobs:
            seed.catalog(tx.connection, jobs)
        installation.remember_server(tx)
        if provider is None or account is None:
            return installation.get(tx)
        return installation.bind(tx, provider, account)


def is_behind(database: Database) -> bool:
    """Say whether `release` would change the schema's version."""
    try:
        return migrate.pending(database.engine, database.options.schema)
    except DBAPIError as error:
        raise translate(error, committing=False) from error
