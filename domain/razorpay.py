"""What requests for Razorpay's orders and refunds must be, frozen as canonical text.

Source: Razorpay, "Orders API", "Refunds API" and "Create a normal refund (idempotent request)".
"""

import re
from json.encoder import encode_basestring_ascii as _text
from typing import Final

from domain.errors import BadInputError
from domain.ports import OrderAsk, RefundAsk

PROVIDER: Final = "razorpay"
CURRENCY: Final = "INR"
AMOUNT_MIN: Final = 100
"""One rupee, of an order and of a refund."""
REFERENCE_MAX: Final = 40
fits_key: Final = re.compile(r"[A-Za-z0-9_-]{10,}", re.ASCII).fullmatch
"""X-Refund-Idempotency: at least 10 letters, digits, hyphens or underscores."""


def freeze_order(ask: OrderAsk) -> str:
    """Return the body of an order's request: ASCII JSON, keys sorted, no spaces. Raises `BadInputError`."""
    reference = _text(_reference(ask.reference))
    return (
        f'{{"amount":{_amount(ask.amount_minor):d},"currency":{_text(_currency(ask.currency))},'
        f'"notes":{{"reference":{reference}}},"receipt":{reference}}}'
    )


def freeze_refund(ask: RefundAsk) -> str:
    """Return the body of a refund's request, the capture being named by its path. Raises `BadInputError`."""
    reference = _text(_reference(ask.reference))
    _currency(ask.currency)
    return (
        f'{{"amount":{_amount(ask.amount_minor):d},"notes":{{"reference":{reference}}},'
        f'"receipt":{reference},"speed":"normal"}}'
    )


def _amount(amount_minor: int) -> int:
    if amount_minor < AMOUNT_MIN:
        raise BadInputError("amount", amount_minor, f"must be at least {AMOUNT_MIN} paise")
    return amount_minor


def _currency(currency: str) -> str:
    if currency != CURRENCY:
        raise BadInputError("currency", currency, f"must be {CURRENCY}")
    return currency


def _reference(reference: str) -> str:
    if not 0 < len(reference) <= REFERENCE_MAX:
        rule = f"must be 1 to {REFERENCE_MAX} characters"
        raise BadInputError("reference", reference, rule)
    return reference
