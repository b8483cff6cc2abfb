"""What must hold between settings, each rule with the variable to change."""

from collections.abc import Collection, Iterator
from typing import Final

from domain.errors import BadInputError
from workers.runner.bounds import Bounds
from workers.settings.model import Settings, variable

NEEDED: Final = {
    "razorpayx": ("razorpayx_key_id", "razorpayx_key_secret", "razorpayx_account_number"),
    "stripe": ("stripe_api_key", "stripe_account"),
    "razorpay": ("razorpay_key_id", "razorpay_key_secret"),
}
"""What a provider cannot be used without."""
CHOSEN_BY: Final = {
    "payout_provider": ("razorpayx", "stripe"),
    "payment_provider": ("razorpay",),
}
"""Which setting is asked for where a provider's own are given and nobody says to use it."""


def broken(settings: Settings) -> Iterator[BadInputError]:
    """Yield every rule that these settings break together."""
    yield from _servers(settings)
    yield from _provider(settings)
    yield from _events(settings)
    yield from _times(settings)


def _servers(settings: Settings) -> Iterator[BadInputError]:
    given = {"database_url": settings.database_url, "broker_url": settings.broker_url}
    for field, other in (("database_url", "broker_url"), ("broker_url", "database_url")):
        if not given[field] and given[other]:
            rule = (
                f"is missing while {variable(other)} is set: servers are configured or embedded, "
                "never mixed"
            )
            yield BadInputError(variable(field), "", rule)


def _provider(settings: Settings) -> Iterator[BadInputError]:
    chosen = {
        "payout_provider": settings.payout_provider,
        "payment_provider": settings.payment_provider,
    }
    for chooser, provider in chosen.items():
        for field in () if provider is None else NEEDED[provider]:
            if not getattr(settings, field):
                rule = f"is missing: {variable(chooser)}={provider} needs it"
                yield BadInputError(variable(field), "", rule)
    for chooser in [name for name, provider in chosen.items() if provider is None]:
        yield from _unchosen(settings, chooser, set(chosen.values()))


def _unchosen(
    settings: Settings, chooser: str, chosen: Collection[str | None]
) -> Iterator[BadInputError]:
    """Complain of providers that are set up and that nobody says to use."""
    for provider in CHOSEN_BY[chooser]:
        fields = () if provider in chosen else NEEDED[provider]
        given = next((field for field in fields if getattr(settings, field)), None)
        if given is not None:
            rule = f"is missing while {variable(given)} is set: say {provider} to use it"
            yield BadInputError(variable(chooser), "", rule)


def _events(settings: Settings) -> Iterator[BadInputError]:
    """What is told must be told apart from what anybody may say."""
    given = {"events_secrets": settings.events_secrets, "events_url": settings.events_url}
    for field, other in (("events_secrets", "events_url"), ("events_url", "events_secrets")):
        if not given[field] and given[other]:
            rule = f"is missing while {variable(other)} is set: events are signed, or not sent"
            yield BadInputError(variable(field), "", rule)


def _times(settings: Settings) -> Iterator[BadInputError]:
    """A call must end, and be settled, before its lease can be taken over."""
    bounds = Bounds(
        lease_seconds=settings.lease_seconds, call_seconds_max=settings.gateway_timeout_seconds
    )
    try:
        bounds.check()
    except BadInputError as error:
        yield error
