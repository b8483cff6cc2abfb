"""What Razorpay's orders and refunds say, in our words. Source: Razorpay, "Orders" and "Refunds" entities."""

from collections.abc import Mapping
from typing import Final

from domain.checkout_answers import OrderStatus, ProviderOrder, ProviderRefund, RefundStatus
from domain.entities import instant, text, whole

ORDER_STATUSES: Final[Mapping[str, OrderStatus]] = {
    "created": OrderStatus.OPEN,
    "attempted": OrderStatus.OPEN,
    "paid": OrderStatus.PAID,
}
REFUND_STATUSES: Final[Mapping[str, RefundStatus]] = {
    "created": RefundStatus.PENDING,
    "pending": RefundStatus.PENDING,
    "processed": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
}


def read_order(entity: object, payment_id: str | None = None) -> ProviderOrder | None:
    """Return the order that `entity` (decoded JSON) describes, or None where it is not one."""
    if not isinstance(entity, dict):
        return None
    provider_id, raw_status = text(entity, "id"), text(entity, "status")
    amount, currency = whole(entity, "amount"), text(entity, "currency")
    created_at = instant(entity, "created_at")
    if not (provider_id and raw_status and currency and created_at) or amount is None:
        return None
    return ProviderOrder(
        provider_id=provider_id,
        reference=text(entity, "receipt"),
        status=ORDER_STATUSES.get(raw_status, OrderStatus.UNRECOGNISED),
        raw_status=raw_status,
        amount_minor=amount,
        currency=currency,
        payment_id=payment_id,
        created_at=created_at,
    )


def read_refund(entity: object) -> ProviderRefund | None:
    """Return the refund that `entity` (decoded JSON) describes, or None where it is not one."""
    if not isinstance(entity, dict):
        return None
    provider_id, raw_status = text(entity, "id"), text(entity, "status")
    payment_id, currency = text(entity, "payment_id"), text(entity, "currency")
    amount, created_at = whole(entity, "amount"), instant(entity, "created_at")
    if not (provider_id and raw_status and payment_id and currency and created_at):
        return None
    if amount is None:
        return None
    notes = entity.get("notes")
    return ProviderRefund(
        provider_id=provider_id,
        reference=text(notes, "reference") if isinstance(notes, dict) else None,
        payment_id=payment_id,
        status=REFUND_STATUSES.get(raw_status, RefundStatus.UNRECOGNISED),
        raw_status=raw_status,
        amount_minor=amount,
        currency=currency,
        created_at=created_at,
    )
