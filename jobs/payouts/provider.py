"""What the payout jobs share about a bank: what a claim needs of it, its answers counted and in words."""

from collections.abc import Sequence
from datetime import timedelta
from typing import assert_never
from uuid import UUID

from db.payouts.apply import Verdict
from db.payouts.claim import Provider
from domain.answers import Accepted, Answer, NotSent, Rejected, Unknown
from domain.batching import BatchPolicy
from domain.ports import Bank
from domain.tally import Count, Tally
from domain.tax import Withholding


def of(
    bank: Bank, withholding: Withholding | None = None, batch: BatchPolicy | None = None
) -> Provider:
    """What a claim needs of a bank, and to keep back. Its keys are trusted for a day less than it promises."""
    window = bank.key_window - min(timedelta(days=1), bank.key_window / 6)
    return Provider(
        name=bank.provider,
        account=bank.account,
        freeze=bank.freeze,
        key_seconds=window.total_seconds(),
        withholding=withholding or Withholding(),
        least_minor=(batch or BatchPolicy()).minimum_minor,
    )


def counted(decided: Sequence[tuple[Verdict, Count]], lost: set[UUID]) -> Tally:
    """What a settle did, counted; where the swap was lost, nothing else counts."""
    tally = Tally(Count.LOST if verdict.subject in lost else count for verdict, count in decided)
    tally[Count.PROCESSED] = len(decided)
    return tally


def in_words(answer: Answer) -> tuple[str, str | None]:
    """An answer's class and what it said, for the evidence."""
    match answer:
        case Accepted(payout=paid):
            return "accepted", f"{paid.provider_id} {paid.raw_status}"
        case Rejected(code=code, reason=reason):
            return "rejected", f"{code}: {reason}"
        case NotSent(reason=reason):
            return "not_sent", reason
        case Unknown(reason=reason):
            return "unknown", reason
        case _:
            assert_never(answer)
