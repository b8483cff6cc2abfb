"""How Stripe refuses: `{"error": {"type": …, "code": …, "message": …, "param": …}}`.

Source: Stripe's errors, idempotent-requests and advanced-error-handling pages.
"""

from typing import Final

from domain.answers import Answer, Rejected, Unknown
from domain.stripe_transfers import read_transfer
from workers.gateways.classify import Dialect, vendor_error, words
from workers.gateways.http import Reply

REFUSES_PAYMENT: Final = frozenset({"invalid_request_error", "card_error"})
"""Types of error that are about what was asked; of any other kind nothing is concluded."""
KEY_USED: Final = "idempotency_error"
BUSY: Final = frozenset({"rate_limit", "lock_timeout", "idempotency_key_in_use"})
"""Codes of a moment, whatever status they come with."""
NO_BALANCE: Final = "balance_insufficient"
"""Kept under its key like any result, so this payment failed; the next ones need not."""


def refusal(reply: Reply) -> Answer:
    """Return what a 400 or 402 proves."""
    error = vendor_error(reply) or {}
    kind, code = words(error.get("type")), words(error.get("code"))
    if kind == KEY_USED and code not in BUSY:
        # The key came before with other parameters: it says nothing of this payment.
        return Unknown(reason=f"http {reply.status} about the idempotency key", suspect=True)
    if kind not in REFUSES_PAYMENT or code in BUSY:
        return Unknown(reason=f"http {reply.status} {code or kind or 'without a readable error'}")
    reason = words(error.get("message"))
    return Rejected(code=code or kind, reason=reason, brake=code == NO_BALANCE)


DIALECT: Final = Dialect(read=read_transfer, refuses_payment=frozenset({400, 402}), refusal=refusal)
