"""The payout provider that the settings name: its client, and whose account it is."""

from domain.errors import BadInputError
from workers.gateways.razorpayx import RazorpayX
from workers.settings import Settings


def bound_account(settings: Settings) -> tuple[str, str] | None:
    """Return (provider, account) that a database is bound to, or None where none is configured."""
    provider, account = settings.provider_account
    return None if provider is None or account is None else (provider, account)


def open_bank(settings: Settings) -> RazorpayX:
    """Return the client that jobs use; whoever opens it closes it.

    Raises `BadInputError` where no provider is configured, or one that pays out nothing here yet.
    """
    if settings.payout_provider != "razorpayx":
        raise BadInputError(
            "BURSAR_PAYOUT_PROVIDER",
            settings.payout_provider or "",
            "must be razorpayx, with its key id, key secret and account number",
        )
    secret = settings.razorpayx_key_secret
    return RazorpayX(
        url=settings.razorpayx_url,
        key_id=settings.razorpayx_key_id or "",
        key_secret=secret.get_secret_value() if secret else "",
        account_number=settings.razorpayx_account_number or "",
        timeout_seconds=settings.gateway_timeout_seconds,
        connections_max=settings.concurrency,
    )
