"""What a RazorpayX payout entity says, in our words.

Source: RazorpayX payout entity and payout life-cycle pages.
"""

from collections.abc import Mapping
from typing import Final

from domain.answers import ProviderPayout, ProviderStatus
from domain.entities import instant, text, whole

STATUSES: Final[Mapping[str, ProviderStatus]] = {
    "pending": ProviderStatus.UNDER_WAY,
    "queued": ProviderStatus.UNDER_WAY,
    "scheduled": ProviderStatus.UNDER_WAY,
    "processing": ProviderStatus.UNDER_WAY,
    "processed": ProviderStatus.PAID,
    "failed": ProviderStatus.FAILED,
    "rejected": ProviderStatus.FAILED,
    "cancelled": ProviderStatus.CANCELLED,
    "reversed": ProviderStatus.REVERSED,
}
"""The provider's words; one that is missing here is `UNRECOGNISED` and moves nothing."""


def read_payout(entity: object) -> ProviderPayout | None:
    """Return the payout that `entity` (decoded JSON) describes, or None where it is not one.

    An entity without id, status, whole amount, currency or time of creation is not one.
    """
    if not isinstance(entity, dict):
        return None
    provider_id, raw_status = text(entity, "id"), text(entity, "status")
    amount, currency = whole(entity, "amount"), text(entity, "currency")
    created_at = instant(entity, "created_at")
    if not (provider_id and raw_status and currency and created_at) or amount is None:
        return None
    return ProviderPayout(
        provider_id=provider_id,
        reference=text(entity, "reference_id"),
        status=STATUSES.get(raw_status, ProviderStatus.UNRECOGNISED),
        raw_status=raw_status,
        amount_minor=amount,
        currency=currency,
        fund_account_id=text(entity, "fund_account_id"),
        utr=text(entity, "utr"),
        reason=_reason(entity),
        created_at=created_at,
    )


def _reason(entity: Mapping[str, object]) -> str | None:
    details = entity.get("status_details")
    if isinstance(details, dict) and (reason := text(details, "reason")):
        return reason
    return text(entity, "failure_reason")
