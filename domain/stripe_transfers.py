"""What a Stripe transfer says, in our words.

A transfer has no status: it exists, which is to be paid, until it is reversed. What the payee's own
account shows of it, `destination_payment`, stands where a bank's UTR does. Source: Stripe's
transfer object.
"""

from collections.abc import Mapping
from typing import Final

from domain.answers import ProviderPayout, ProviderStatus
from domain.entities import instant, text, whole

STATUSES: Final[Mapping[str, ProviderStatus]] = {
    "paid": ProviderStatus.PAID,
    "reversed": ProviderStatus.REVERSED,
}
"""Our own words for what is to be seen of a transfer; any other is `UNRECOGNISED` and moves nothing."""


def read_transfer(entity: object) -> ProviderPayout | None:
    """Return the payout that `entity` (decoded JSON) describes, or None where it is not a transfer.

    A transfer without id, whole amounts, currency or time of creation is not one.
    """
    if not isinstance(entity, dict) or entity.get("object") != "transfer":
        return None
    provider_id, currency = text(entity, "id"), text(entity, "currency")
    amount, created_at = whole(entity, "amount"), instant(entity, "created")
    if not (provider_id and currency and created_at) or amount is None:
        return None
    raw_status = _status(entity, amount)
    if raw_status is None:
        return None
    return ProviderPayout(
        provider_id=provider_id,
        reference=text(entity, "transfer_group"),
        status=STATUSES.get(raw_status, ProviderStatus.UNRECOGNISED),
        raw_status=raw_status,
        amount_minor=amount,
        currency=currency.upper(),
        fund_account_id=text(entity, "destination"),
        utr=text(entity, "destination_payment"),
        reason=None,
        created_at=created_at,
    )


def _status(entity: Mapping[str, object], amount: int) -> str | None:
    """Where the money is; a part that came back fits no state of ours, and a person is told."""
    back, is_reversed = whole(entity, "amount_reversed"), entity.get("reversed")
    if back is None or not 0 <= back <= amount or not isinstance(is_reversed, bool):
        return None
    if not back and not is_reversed:
        return "paid"
    return "reversed" if back == amount and is_reversed else "partially_reversed"
