"""What gateways say of disputes, in our words. Source: Razorpay, "Disputes"; Stripe, "The dispute object"."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from domain.entities import text, whole
from domain.telling import DisputeStatus, ToldDispute

_D = DisputeStatus
STATUSES: Final[Mapping[str, DisputeStatus]] = {
    "open": _D.OPEN,
    "under_review": _D.OPEN,
    "action_required": _D.OPEN,
    "needs_response": _D.OPEN,
    "warning_needs_response": _D.OPEN,
    "warning_under_review": _D.OPEN,
    "won": _D.WON,
    "closed": _D.WON,
    "warning_closed": _D.WON,
    "prevented": _D.WON,
    "lost": _D.LOST,
}
"""Both gateways' words; what came to no decision takes nothing. Any other word is unreadable: a person looks."""


def read_dispute(entity: object, names_capture_by: str, at: datetime | None) -> ToldDispute | None:
    """Return the dispute that `entity` (decoded JSON) describes at a time, or None where it is none."""
    if not isinstance(entity, dict) or at is None:
        return None
    dispute_id, captured_as = text(entity, "id"), text(entity, names_capture_by)
    amount, currency = whole(entity, "amount"), text(entity, "currency")
    raw_status = text(entity, "status") or ""
    status = STATUSES.get(raw_status)
    if not (dispute_id and captured_as and currency and status) or not amount or amount < 0:
        return None
    return ToldDispute(
        dispute_id=dispute_id,
        captured_as=captured_as,
        status=status,
        raw_status=raw_status,
        amount_minor=amount,
        currency=currency.upper(),
        at=at,
    )
