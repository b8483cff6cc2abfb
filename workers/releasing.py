"""What `migrate`, `up` and `demo` do before processes start: schema, catalog, provider account."""

from db.engine import Database
from db.installation import Installation
from db.release import release
from domain.errors import RefusedError
from jobs import catalog
from workers.providers import bound_account
from workers.servers import SANDBOX_ACCOUNT, Addresses
from workers.settings import Settings


def release_database(database: Database, settings: Settings, addresses: Addresses) -> Installation:
    """Bring the database to this version, bound to the settings' provider account.

    Raises `RefusedError` where that is a sandbox's account and the servers are configured ones, or
    another account is bound.
    """
    bound = bound_account(settings)
    if bound is not None and bound[1].startswith(SANDBOX_ACCOUNT) and not addresses.embedded:
        raise RefusedError(
            f"{bound[1]} is the account of a sandbox bank and may not be bound to the configured "
            "database: set BURSAR_PAYOUT_PROVIDER and the provider's own account"
        )
    provider, account = bound or (None, None)
    return release(database, catalog.rows(), provider=provider, account=account)
