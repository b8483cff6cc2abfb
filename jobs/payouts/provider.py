"""What the payout jobs share about a bank: its brake, its rate limit, its answers in words."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, assert_never
from uuid import UUID

from db import findings, rate_limits, switches
from db.payouts.apply import Verdict
from db.payouts.claim import Provider
from db.tx import Tx
from domain.answers import Accepted, Answer, LookUpFailed, NotSent, Rejected, Unknown
from domain.batching import BatchPolicy
from domain.findings import Finding, FindingKind
from domain.ports import Bank
from domain.tally import Count, Tally
from domain.tax import Withholding

_MAY_REFUSE: Final = (Rejected, NotSent, Unknown, LookUpFailed)
_MAY_LIMIT: Final = (Unknown, LookUpFailed)


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


def brake(bank: Bank) -> str:
    """The switch that stops everything towards this provider account."""
    return f"brake:{limit(bank)}"


def limit(bank: Bank) -> str:
    """The name of this provider account's rate limit."""
    return f"{bank.provider}:{bank.account}"


def react(tx: Tx, bank: Bank, answers: Sequence[Answer | LookUpFailed]) -> None:
    """Set the brake where the provider would refuse everything; cut the rate where it asked for less."""
    failed = [a for a in answers if isinstance(a, _MAY_REFUSE)]
    refused = next((a for a in failed if a.brake), None)
    if refused is not None:
        why = refused.reason
        if isinstance(refused, Rejected):
            why = f"{refused.code}: {why}"
        switches.turn(tx, brake(bank), on=True, who="bursar", why=why)
        findings.report(
            tx, [Finding(kind=FindingKind.PROVIDER_BRAKE, subject=limit(bank), detail=why)]
        )
    waits = [
        a.retry_after_seconds for a in failed if isinstance(a, _MAY_LIMIT) and a.retry_after_seconds
    ]
    if waits:
        rate_limits.cut(tx, limit(bank), max(waits))


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
