"""What the refund jobs share about a payment gateway: what a claim needs of it, and its answers counted."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from db.refunds.claim import Gateway
from db.refunds.settle import Verdict
from domain.ports import Payments
from domain.tally import Count, Tally


def of(payments: Payments) -> Gateway:
    """What a claim needs of a gateway. Its keys are trusted for some hours less than it promises."""
    window = payments.key_window - min(timedelta(days=1), payments.key_window / 6)
    return Gateway(
        name=payments.provider,
        account=payments.account,
        freeze=payments.freeze_refund,
        key_seconds=window.total_seconds(),
    )


def counted(decided: Sequence[tuple[Verdict, Count]], lost: set[UUID]) -> Tally:
    """What a settle did, counted; where the swap was lost, nothing else counts."""
    tally = Tally(Count.LOST if verdict.subject in lost else count for verdict, count in decided)
    tally[Count.PROCESSED] = len(decided)
    return tally
