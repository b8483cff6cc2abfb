"""What a RazorpayX payout entity says, in our words, and where it contradicts what was asked.

Source: RazorpayX payout entity and payout life-cycle pages.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from domain.answers import ProviderPayout, ProviderStatus
from domain.ports import FrozenRequest

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

PAID_WORDS: Final = tuple(word for word, said in STATUSES.items() if said is ProviderStatus.PAID)
"""How the provider calls a payout that was paid."""

CREATED_MAX: Final = 2**33
"""Unix seconds beyond which a time is nonsense (the year 2242)."""


def read_payout(entity: object) -> ProviderPayout | None:
    """Return the payout that `entity` (decoded JSON) describes, or None where it is not one.

    An entity without id, status, whole amount, currency or time of creation is not one.
    """
    if not isinstance(entity, dict):
        return None
    provider_id, raw_status = _text(entity, "id"), _text(entity, "status")
    amount, currency = _whole(entity, "amount"), _text(entity, "currency")
    created = _whole(entity, "created_at")
    if not (provider_id and raw_status and currency) or amount is None or created is None:
        return None
    if not 0 <= created < CREATED_MAX:
        return None
    return ProviderPayout(
        provider_id=provider_id,
        reference=_text(entity, "reference_id"),
        status=STATUSES.get(raw_status, ProviderStatus.UNRECOGNISED),
        raw_status=raw_status,
        amount_minor=amount,
        currency=currency,
        fund_account_id=_text(entity, "fund_account_id"),
        utr=_text(entity, "utr"),
        reason=_reason(entity),
        created_at=datetime.fromtimestamp(created, UTC),
    )


def contradiction(payout: ProviderPayout, request: FrozenRequest) -> str | None:
    """Return how `payout` contradicts `request`, naming the fields but no values, or None."""
    wrong = [
        field
        for field, told, asked in (
            ("amount", payout.amount_minor, request.amount_minor),
            ("currency", payout.currency, request.currency),
            ("reference_id", payout.reference, request.reference),
            (
                "fund_account_id",
                payout.fund_account_id or request.fund_account_id,
                request.fund_account_id,
            ),
        )
        if told != asked
    ]
    return f"the answer has another {', '.join(wrong)}" if wrong else None


def _reason(entity: Mapping[str, object]) -> str | None:
    details = entity.get("status_details")
    if isinstance(details, dict) and (reason := _text(details, "reason")):
        return reason
    return _text(entity, "failure_reason")


def _text(entity: Mapping[str, object], field: str) -> str | None:
    value = entity.get(field)
    # Control characters and halves of pairs are no words, and no database keeps them.
    return value if isinstance(value, str) and value and value.isprintable() else None


def _whole(entity: Mapping[str, object], field: str) -> int | None:
    value = entity.get(field)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
