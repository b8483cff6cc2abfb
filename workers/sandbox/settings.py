"""What a sandbox bank is told when it starts."""

from dataclasses import dataclass, field
from pathlib import Path

from workers.sandbox.faults import Faults


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """One bank: whom it knows, how fast it is, what goes wrong. Amounts in paise."""

    storage: Path
    """Its SQLite file; made if missing, taken up where it was left otherwise."""
    key_id: str = "rzp_test_sandbox"
    key_secret: str = field(default="sandbox", repr=False)
    account_number: str = "2323230000000001"
    stripe_account: str = "acct_sandbox00000001"
    """Whose transfers are: Stripe's API takes `key_secret` as its key."""
    balance_minor: int = 10**15
    """What a new bank's account holds; an existing one keeps its own."""
    process_seconds: float = 1.0
    """How long a payout is `processing`."""
    reverse_seconds: float = 5.0
    """How long after `processed` a payout that reverses does so."""
    index_lag_seconds: float = 0.0
    """How long a search by reference does not see a new payout."""
    key_window_seconds: float = 7 * 86_400.0
    """How long a key answers with its payout; after that it makes another."""
    rate_per_second_max: float = 0.0
    """Requests accepted each second, with one second's burst; 0 is no limit."""
    faults: Faults = field(default_factory=Faults)
    seed: int = 1
    """With the key and the number of the send, decides which fault a request meets."""
    slow_seconds: float = 3.0
    hang_seconds: float = 60.0
    """How long a hanging answer holds its connection, and a dripping one drips."""
    retry_after_seconds: int = 1
    """What a 429 asks for."""
    webhook_url: str = ""
    """Where signed events of payouts are sent; empty is nowhere."""
    stripe_webhook_url: str = ""
    """Where those of transfers, and of what customers pay by Stripe, are sent, as Stripe signs them."""
    razorpay_webhook_url: str = ""
    """Where those of what customers pay by Razorpay are sent."""
    webhook_secret: str = field(default="", repr=False)
