"""A bank at the port that accepts everything after a while: what is measured is ours alone."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from db.bench.script import PROVIDER_NAME
from domain import razorpayx
from domain.answers import (
    Accepted,
    Answer,
    Balance,
    Found,
    Funds,
    LookUp,
    LookUpFailed,
    ProviderPayout,
    ProviderStatus,
    Report,
)
from domain.money import MINOR_MAX
from domain.ports import FrozenRequest, PayoutOrder, Sought
from domain.statements import StatementLine

ACCOUNT = "4564567890123456"
_AT = datetime(2026, 1, 1, tzinfo=UTC)


class AcceptingBank:
    """Freezes as RazorpayX does, and accepts each request after `gateway_seconds` (0: at once)."""

    provider = razorpayx.PROVIDER
    account = ACCOUNT
    key_window = timedelta(days=7)
    look_up_grace = timedelta(minutes=5)

    def __init__(self, gateway_seconds: float = 0.0) -> None:
        self.gateway_seconds = gateway_seconds

    def freeze(self, order: PayoutOrder) -> str:
        """The real request body."""
        return razorpayx.freeze(order, ACCOUNT)

    def submit(self, request: FrozenRequest) -> Answer:
        """Accept, when the time is over."""
        if self.gateway_seconds:
            time.sleep(self.gateway_seconds)
        return Accepted(
            payout=ProviderPayout(
                provider_id=PROVIDER_NAME + request.key,
                reference=request.reference,
                status=ProviderStatus.UNDER_WAY,
                raw_status="processing",
                amount_minor=request.amount_minor,
                currency=request.currency,
                fund_account_id=request.fund_account_id,
                utr=None,
                reason=None,
                created_at=_AT,
            )
        )

    def find(self, reference: str) -> LookUp:
        """Know nothing: no benchmark asks."""
        return LookUpFailed(reason=f"{reference}: this bank keeps nothing")

    def fetch(self, sought: Sequence[Sought]) -> dict[str, Report]:
        """Know nothing: no benchmark asks."""
        failed = LookUpFailed(reason="this bank keeps nothing")
        return {item.reference: failed for item in sought}

    def payouts_between(self, start: datetime, end: datetime) -> Iterator[ProviderPayout]:
        """Know nothing: no benchmark asks."""
        return iter(())

    def statement(self, start: datetime, end: datetime) -> Iterator[StatementLine]:
        """Know nothing: no benchmark asks."""
        return iter(())

    def balance(self) -> Funds:
        """Have enough."""
        return Balance(available={razorpayx.CURRENCY: MINOR_MAX})

    def check(self) -> LookUp:
        """Be there."""
        return Found(payouts=())
