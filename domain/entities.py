"""What providers' entities have in common: fields read strictly, and held against what was asked."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from domain.answers import ProviderPayout
from domain.ports import FrozenRequest

CREATED_MAX: Final = 2**33
"""Unix seconds beyond which a time is nonsense (the year 2242)."""


def text(entity: Mapping[str, object], field: str) -> str | None:
    """Return the words under `field`, or None where there are none that a database keeps."""
    value = entity.get(field)
    # Control characters and halves of pairs are no words.
    return value if isinstance(value, str) and value and value.isprintable() else None


def whole(entity: Mapping[str, object], field: str) -> int | None:
    """Return the whole number under `field`, or None."""
    value = entity.get(field)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def instant(entity: Mapping[str, object], field: str) -> datetime | None:
    """Return the unix seconds under `field` as aware UTC, or None where they make no sense."""
    seconds = whole(entity, field)
    if seconds is None or not 0 <= seconds < CREATED_MAX:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def contradiction(payout: ProviderPayout, request: FrozenRequest) -> str | None:
    """Return how `payout` contradicts `request`, naming the fields but no values, or None."""
    wrong = [
        field
        for field, told, asked in (
            ("amount", payout.amount_minor, request.amount_minor),
            ("currency", payout.currency, request.currency),
            ("reference", payout.reference, request.reference),
            (
                "fund account",
                payout.fund_account_id or request.fund_account_id,
                request.fund_account_id,
            ),
        )
        if told != asked
    ]
    return f"the answer has another {', '.join(wrong)}" if wrong else None
