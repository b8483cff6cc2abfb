"""How RazorpayX refuses: `{"error": {"code": …, "description": …, "field": …}}`."""

from typing import Final

from domain.answers import Answer, Rejected, Unknown
from domain.razorpayx_payouts import read_payout
from workers.gateways.classify import Dialect, vendor_error, words
from workers.gateways.http import Reply

KEY_HEADER: Final = "X-Payout-Idempotency"


def refusal(reply: Reply) -> Answer:
    """Return what a 400 or 422 proves."""
    error = vendor_error(reply) or {}
    code = words(error.get("code"))
    if not code:
        return Unknown(reason=f"http {reply.status} without a readable error")
    if error.get("field") == KEY_HEADER:
        # It speaks of the key, hence perhaps of an earlier send under it, not of this payment.
        return Unknown(reason=f"http {reply.status} about the idempotency key", suspect=True)
    return Rejected(code=code, reason=words(error.get("description")))


DIALECT: Final = Dialect(read=read_payout, refuses_payment=frozenset({400, 422}), refusal=refusal)
