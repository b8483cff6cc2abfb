"""The bank of a process: the real client of the configured provider, in the demo as in production."""

from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import BadInputError
from domain.ports import Bank
from workers.gateways.razorpayx import RazorpayX
from workers.settings import Settings


@contextmanager
def open_bank(settings: Settings) -> Iterator[Bank | None]:
    """Yield the client of the payout provider, or None where none is configured."""
    match settings.payout_provider:
        case None:
            yield None
        case "razorpayx":
            secret = settings.razorpayx_key_secret
            with RazorpayX(
                url=settings.razorpayx_url,
                key_id=settings.razorpayx_key_id or "",
                key_secret=secret.get_secret_value() if secret else "",
                account_number=settings.razorpayx_account_number or "",
                timeout_seconds=settings.gateway_timeout_seconds,
                connections_max=settings.concurrency * 2,
            ) as bank:
                yield bank
        case provider:
            raise BadInputError(
                "BURSAR_PAYOUT_PROVIDER", provider, "only razorpayx can pay out in this version"
            )
