"""What a RazorpayX transaction says, in our words.

Source: RazorpayX transaction entity. A transaction of a payout whose fees are charged with it is larger than
its payout by them.
"""

from collections.abc import Mapping
from typing import Final

from domain.entities import instant, text, whole
from domain.statements import Side, Source, StatementLine

FEES: Final = "fee"
"""How the words for charges begin (`fee_recovery`)."""


def read_line(entity: object) -> StatementLine | None:
    """Return the line that `entity` (decoded JSON) describes, or None where it is not one.

    A transaction without id, account, currency, balance or time, or not of exactly one side, is not one.
    """
    if not isinstance(entity, dict):
        return None
    line_id, account = text(entity, "id"), text(entity, "account_number")
    currency, balance = text(entity, "currency"), whole(entity, "balance")
    occurred_at, sided = instant(entity, "created_at"), _sided(entity)
    if not (line_id and account and currency and occurred_at and sided) or balance is None:
        return None
    side, amount = sided
    given = entity.get("source")
    origin: Mapping[str, object] = given if isinstance(given, dict) else {}
    source = _source(origin)
    return StatementLine(
        line_id=line_id,
        account=account,
        occurred_at=occurred_at,
        side=side,
        amount_minor=amount,
        fee_minor=_fee(origin, amount),
        currency=currency,
        balance_minor=balance,
        utr=text(origin, "utr"),
        source=source,
        source_id=_about(origin, source),
    )


def _sided(entity: Mapping[str, object]) -> tuple[Side, int] | None:
    match whole(entity, "debit"), whole(entity, "credit"):
        case int(debit), 0 | None if debit > 0:
            return Side.DEBIT, debit
        case 0 | None, int(credit) if credit > 0:
            return Side.CREDIT, credit
        case _:
            return None


def _source(origin: Mapping[str, object]) -> Source:
    match text(origin, "entity"):
        case "payout":
            return Source.PAYOUT
        case "reversal":
            return Source.REVERSAL
        case str(word) if word.startswith(FEES):
            return Source.FEE
        case _:
            return Source.OTHER


def _about(origin: Mapping[str, object], source: Source) -> str | None:
    match source:
        case Source.PAYOUT:
            return text(origin, "id")
        case Source.REVERSAL:
            return text(origin, "payout_id")
        case _:
            return None


def _fee(origin: Mapping[str, object], amount: int) -> int:
    """The charge inside the amount: what it has beyond its source's, where that is what the source calls fees."""
    own = whole(origin, "amount")
    fees = whole(origin, "fees") or whole(origin, "fee") or 0
    beyond = 0 if own is None else amount - own
    return beyond if 0 < beyond in {fees, fees + (whole(origin, "tax") or 0)} else 0
