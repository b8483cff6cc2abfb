"""What Stripe's PaymentIntents and refunds say, in our words.

A PaymentIntent is the order and the capture in one: refunds name it. Source: Stripe's PaymentIntent
and refund objects.
"""

from collections.abc import Mapping
from typing import Final

from domain.checkout_answers import OrderStatus, ProviderOrder, ProviderRefund, RefundStatus
from domain.entities import instant, text, whole

ORDER_STATUSES: Final[Mapping[str, OrderStatus]] = {
    "requires_payment_method": OrderStatus.OPEN,
    "requires_confirmation": OrderStatus.OPEN,
    "requires_action": OrderStatus.OPEN,
    "processing": OrderStatus.OPEN,
    "requires_capture": OrderStatus.OPEN,
    "succeeded": OrderStatus.PAID,
    "canceled": OrderStatus.CLOSED,
}
REFUND_STATUSES: Final[Mapping[str, RefundStatus]] = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}


def read_order(entity: object) -> ProviderOrder | None:
    """Return the order that `entity` (decoded JSON) describes, or None where it is no PaymentIntent."""
    if not isinstance(entity, dict) or entity.get("object") != "payment_intent":
        return None
    provider_id, raw_status = text(entity, "id"), text(entity, "status")
    amount, currency = whole(entity, "amount"), text(entity, "currency")
    created_at = instant(entity, "created")
    if not (provider_id and raw_status and currency and created_at) or amount is None:
        return None
    return ProviderOrder(
        provider_id=provider_id,
        reference=_reference(entity),
        status=ORDER_STATUSES.get(raw_status, OrderStatus.UNRECOGNISED),
        raw_status=raw_status,
        amount_minor=amount,
        currency=currency.upper(),
        payment_id=provider_id,
        created_at=created_at,
    )


def read_refund(entity: object) -> ProviderRefund | None:
    """Return the refund that `entity` (decoded JSON) describes, or None where it is none."""
    if not isinstance(entity, dict) or entity.get("object") != "refund":
        return None
    provider_id, raw_status = text(entity, "id"), text(entity, "status")
    payment_id, currency = text(entity, "payment_intent"), text(entity, "currency")
    amount, created_at = whole(entity, "amount"), instant(entity, "created")
    if not (provider_id and raw_status and payment_id and currency and created_at):
        return None
    if amount is None:
        return None
    return ProviderRefund(
        provider_id=provider_id,
        reference=_reference(entity),
        payment_id=payment_id,
        status=REFUND_STATUSES.get(raw_status, RefundStatus.UNRECOGNISED),
        raw_status=raw_status,
        amount_minor=amount,
        currency=currency.upper(),
        created_at=created_at,
    )


def _reference(entity: Mapping[str, object]) -> str | None:
    metadata = entity.get("metadata")
    return text(metadata, "reference") if isinstance(metadata, dict) else None
