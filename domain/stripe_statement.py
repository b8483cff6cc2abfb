"""What a Stripe balance transaction says, in our words: the statement of a platform's balance.

It has no running balance, and none is made up. Read with its source expanded, as only that names the transfer
that a reversal gives back. Source: Stripe's balance transaction object, and "Balance transaction types".
"""

from collections.abc import Mapping
from typing import Final

from domain.entities import instant, text, whole
from domain.statements import Side, Source, StatementLine

PAYMENTS: Final = "payments"
"""The balance that transfers leave from; an account may have others, for cards it issues and the like."""

SOURCES: Final[Mapping[str, Source]] = {
    "transfer": Source.PAYOUT,
    "transfer_refund": Source.REVERSAL,
    "transfer_cancel": Source.REVERSAL,
    "transfer_failure": Source.REVERSAL,
    "stripe_fee": Source.FEE,
    "stripe_fx_fee": Source.FEE,
    "tax_fee": Source.FEE,
}
"""What its types come from; charges, refunds, payouts to the platform's own bank and all others are not ours."""


def moves_nothing(entity: object) -> bool:
    """Say whether `entity` is of another balance than the one transfers leave from, or moves nothing of it."""
    if not isinstance(entity, dict):
        return False
    return entity.get("balance_type", PAYMENTS) != PAYMENTS or whole(entity, "net") == 0


def read_line(entity: object, account: str) -> StatementLine | None:
    """Return the line of `account` that `entity` (decoded JSON) describes, or None where it is not one.

    A transaction without id, type, currency or time, whose net is not its amount less its fee, or that
    gives back a transfer without naming it, is not one.
    """
    if not isinstance(entity, dict) or entity.get("object") != "balance_transaction":
        return None
    line_id, kind, currency = (text(entity, name) for name in ("id", "type", "currency"))
    amount, fee, net = (whole(entity, name) for name in ("amount", "fee", "net"))
    occurred_at = instant(entity, "created")
    if not (line_id and kind and currency and occurred_at and net):
        return None
    if amount is None or fee is None or amount - fee != net:
        return None
    source = SOURCES.get(kind, Source.OTHER)
    about, utr = _about(entity.get("source"), source)
    if source in {Source.PAYOUT, Source.REVERSAL} and about is None:
        return None
    return StatementLine(
        line_id=line_id,
        account=account,
        occurred_at=occurred_at,
        side=Side.DEBIT if net < 0 else Side.CREDIT,
        amount_minor=abs(net),
        # What is taken from money that comes in never was on the account: it is no part of the line.
        fee_minor=fee if net < 0 < fee <= -net else 0,
        currency=currency.upper(),
        balance_minor=None,
        utr=utr,
        source=source,
        source_id=about,
    )


def _about(origin: object, source: Source) -> tuple[str | None, str | None]:
    """The transfer that a line pays or gives back, and what the payee's account shows of its payment."""
    if source not in {Source.PAYOUT, Source.REVERSAL}:
        return None, None
    if isinstance(origin, str):
        return (origin if origin.startswith("tr_") else None), None
    if not isinstance(origin, dict):
        return None, None
    if origin.get("object") == "transfer_reversal":
        transfer = origin.get("transfer")
        return text(transfer if isinstance(transfer, dict) else {"id": transfer}, "id"), None
    utr = text(origin, "destination_payment") if source is Source.PAYOUT else None
    return text(origin, "id"), utr
