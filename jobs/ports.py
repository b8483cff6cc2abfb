"""The outside world as one process reaches it: what a job may be made from."""

from dataclasses import dataclass, field

from domain.backoff import HEAL_SECONDS
from domain.batching import BatchPolicy
from domain.ports import Alerts, Bank, Events, Mail, Payments
from domain.tax import Withholding
from domain.waitlist import OfferPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """A job whose port is None is not known in this process."""

    bank: Bank | None = None
    payments: Payments | None = None
    alerts: Alerts | None = None
    events: Events | None = None
    mail: Mail | None = None
    hears: bool = False
    """Whether a secret is set for the webhooks of the provider that pays out."""
    call_seconds_max: float = 8.0
    """The total time-out of one call to the bank, to the gateway, or to whoever is told."""
    recover_seconds: tuple[float, ...] = (30.0, 60.0, 120.0, 300.0, 600.0)
    heal_seconds: tuple[float, ...] = HEAL_SECONDS
    """Before each try to divide what could not be divided."""
    withholding: Withholding = field(default_factory=Withholding)
    """How tax is kept back from what is paid out."""
    batch: BatchPolicy = field(default_factory=BatchPolicy)
    """What a batch of payouts obeys."""
    offers: OfferPolicy = field(default_factory=OfferPolicy)
    """How long a freed place is held for whoever waited."""
