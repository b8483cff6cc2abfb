"""What requests for Stripe's PaymentIntents and refunds must be, frozen as canonical text.

Source of the rules: Stripe's create-PaymentIntent, create-refund and idempotent-requests pages.
"""

from json.encoder import encode_basestring_ascii as _text

from domain.errors import BadInputError
from domain.ports import OrderAsk, RefundAsk
from domain.stripe import CURRENCIES


def freeze_order(ask: OrderAsk) -> str:
    """Return a PaymentIntent's parameters: ASCII JSON, keys sorted, no spaces. Raises `BadInputError`."""
    return (
        f'{{"amount":{_amount(ask.amount_minor):d},"automatic_payment_methods":{{"enabled":true}},'
        f'"currency":{_text(_currency(ask.currency))},'
        f'"metadata":{{"reference":{_text(ask.reference)}}}}}'
    )


def freeze_refund(ask: RefundAsk) -> str:
    """Return a refund's parameters. Raises `BadInputError`."""
    _currency(ask.currency)
    return (
        f'{{"amount":{_amount(ask.amount_minor):d},'
        f'"metadata":{{"reference":{_text(ask.reference)}}},'
        f'"payment_intent":{_text(ask.payment_id)}}}'
    )


def _amount(amount_minor: int) -> int:
    if amount_minor < 1:
        raise BadInputError("amount", amount_minor, "must be at least one minor unit")
    return amount_minor


def _currency(currency: str) -> str:
    if currency not in CURRENCIES:
        raise BadInputError("currency", currency, f"must be one of {', '.join(sorted(CURRENCIES))}")
    return currency.lower()
