"""One way to check a webhook, whoever sent it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from domain.inbox import VerifiedEvent
from domain.webhooks import flutterwave, paypal, razorpay, stripe
from domain.webhooks.paypal import Certificates
from domain.webhooks.providers import Provider

Verify = Callable[[bytes, Mapping[str, str], Sequence[str], datetime], VerifiedEvent]
"""(raw body, headers by lower-case name, secrets, now) to the event.

Raises `SecretMissingError` without secrets, a `WebhookRefusedError` for what is not to be believed,
`UnreachableError` where what is needed to check it is away.
"""


SIGNED_IN: Final = {
    Provider.RAZORPAYX: razorpay.SIGNATURE,
    Provider.RAZORPAY: razorpay.SIGNATURE,
    Provider.STRIPE: stripe.SIGNATURE,
    Provider.PAYPAL: paypal.SIGNATURE,
    Provider.FLUTTERWAVE: flutterwave.PASSWORD,
}
"""The header without which a webhook is refused, whatever its body is."""


def verifiers(certificates: Certificates) -> dict[Provider, Verify]:
    """Return how each provider's webhooks are checked; `certificates` is for PayPal's."""

    def razorpays(provider: Provider) -> Verify:
        return lambda raw, headers, secrets, _now: razorpay.verify(provider, raw, headers, secrets)

    return {
        Provider.RAZORPAYX: razorpays(Provider.RAZORPAYX),
        Provider.RAZORPAY: razorpays(Provider.RAZORPAY),
        Provider.STRIPE: stripe.verify,
        Provider.PAYPAL: partial(paypal.verify, certificates),
        Provider.FLUTTERWAVE: lambda raw, headers, secrets, _now: flutterwave.verify(
            raw, headers, secrets
        ),
    }
