"""The payment gateway of a process: the real client of the configured provider, in the demo as in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import assert_never

from domain.ports import Payments
from workers.banks import exposed
from workers.gateways.razorpay import Razorpay
from workers.settings import Settings


@contextmanager
def open_payments(settings: Settings) -> Iterator[Payments | None]:
    """Yield the client of the gateway that customers pay by, or None where none is configured."""
    match settings.payment_provider:
        case None:
            yield None
        case "razorpay":
            with Razorpay(
                url=settings.razorpay_url,
                key_id=settings.razorpay_key_id or "",
                key_secret=exposed(settings.razorpay_key_secret),
                timeout_seconds=settings.gateway_timeout_seconds,
                connections_max=settings.concurrency * 2,
            ) as payments:
                yield payments
        case "stripe":
            # Stripe's library is large: nobody else waits for it.
            from workers.gateways.stripe_payments import StripePayments  # noqa: PLC0415  the reason above

            with StripePayments(
                url=settings.stripe_url,
                api_key=exposed(settings.stripe_api_key),
                account=settings.stripe_account or "",
                timeout_seconds=settings.gateway_timeout_seconds,
                connections_max=settings.concurrency * 2,
            ) as payments:
                yield payments
        case provider:
            assert_never(provider)
