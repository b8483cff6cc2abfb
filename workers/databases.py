"""How a process opens its database: from settings, with the role it needs."""

from db.engine import Database, DatabaseOptions
from workers.servers import Addresses
from workers.settings import Settings


def open_database(
    settings: Settings,
    addresses: Addresses,
    *,
    role: str | None,
    application: str,
    pool_max: int | None = None,
) -> Database:
    """Return the database with no connection made yet; whoever opens it disposes of it."""
    return Database(
        DatabaseOptions(
            url=addresses.database_url,
            schema=settings.database_schema,
            role=role,
            pool_max=pool_max or settings.database_pool_max,
            pooler=settings.database_pooler,
            application=application,
        )
    )
