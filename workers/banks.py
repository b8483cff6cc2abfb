"""The bank of a process: the real client of the configured provider, in the demo as in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import assert_never

from pydantic import SecretStr

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
            with RazorpayX(
                url=settings.razorpayx_url,
                key_id=settings.razorpayx_key_id or "",
                key_secret=exposed(settings.razorpayx_key_secret),
                account_number=settings.razorpayx_account_number or "",
                timeout_seconds=settings.gateway_timeout_seconds,
                connections_max=settings.concurrency * 2,
            ) as bank:
                yield bank
        case "stripe":
            # Stripe's library is large: nobody else waits for it.
            from workers.gateways.stripe import Stripe  # noqa: PLC0415  the reason above

            with Stripe(
                url=settings.stripe_url,
                api_key=exposed(settings.stripe_api_key),
                account=settings.stripe_account or "",
                timeout_seconds=settings.gateway_timeout_seconds,
                connections_max=settings.concurrency * 2,
            ) as bank:
                yield bank
        case provider:
            assert_never(provider)


def exposed(secret: SecretStr | None) -> str:
    """Return a secret, or an empty text for none."""
    return secret.get_secret_value() if secret else ""
