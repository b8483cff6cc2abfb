"""What the words of every provider mean, where it does not matter whose they are."""

from typing import Final

from domain import razorpayx_payouts, stripe_transfers
from domain.answers import ProviderStatus

PAID_WORDS: Final = tuple(
    word
    for statuses in (razorpayx_payouts.STATUSES, stripe_transfers.STATUSES)
    for word, said in statuses.items()
    if said is ProviderStatus.PAID
)
"""How providers call a payout that was paid."""
