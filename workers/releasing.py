"""What `migrate`, `up` and `demo` do before processes start: schema, catalog, provider account."""

from db.engine import Database
from db.installation import Installation
from db.release import release
from domain.errors import RefusedError
from jobs import catalog
from workers.providers import bound_account
from workers.servers import SANDBOX_ACCOUNTS, Addresses
from workers.settings import Settings


def account_to_bind(settings: Settings, addresses: Addresses) -> tuple[str, str] | None:
    """Return (provider, account) of the settings, or None where they name none.

    Raises `RefusedError` where that is a sandbox's account and the servers are configured ones.
    """
    named = bound_account(settings)
    if named is not None and named[1].startswith(SANDBOX_ACCOUNTS) and not addresses.embedded:
        raise RefusedError(
            f"{named[1]} is the account of a sandbox bank and may not be bound to the configured "
            "database: set BURSAR_PAYOUT_PROVIDER and the provider's own account"
        )
    return named


def release_database(database: Database, settings: Settings, addresses: Addresses) -> Installation:
    """Bring the database to this version, bound to the settings' provider account.

    Raises `RefusedError` where that may not be, or another account is bound.
    """
    provider, account = account_to_bind(settings, addresses) or (None, None)
    return release(database, catalog.rows(), provider=provider, account=account)
