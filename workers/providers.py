"""Whose account the settings name: what a database is bound to."""

from workers.settings import Settings


def bound_account(settings: Settings) -> tuple[str, str] | None:
    """Return (provider, account) that a database is bound to, or None where none is configured."""
    provider, account = settings.provider_account
    return None if provider is None or account is None else (provider, account)
