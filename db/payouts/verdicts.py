"""From what a provider said to what becomes of the payout: pure decisions over claimed rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from db.effects import Outcome
from db.payouts.apply import Verdict
from db.payouts.claim import Sending
from db.payouts.known import Known, mismatch
from db.work import Held, Next
from domain.answers import (
    Accepted,
    Answer,
    NotSent,
    ProviderPayout,
    ProviderStatus,
    Rejected,
    Unknown,
)
from domain.backoff import FOLLOW_SECONDS, LOOK_AGAIN_SECONDS, PUT_BACK_SECONDS, delay
from domain.calendar import REVERSAL_DAYS, add_working_days
from domain.effects import EffectState
from domain.findings import Finding, FindingKind
from domain.payout_words import FINAL, RANKS, Path, is_late, leads_through
from domain.payouts import FOLLOW, NOT_AT_PROVIDER, RECOVER, SENDERS, SETTLED, PayoutState
from domain.tally import Count

_DAY = timedelta(days=1)
_AT_ONCE = timedelta(0)
_FIRST_FOLLOW = delay(FOLLOW_SECONDS, 0)


def of_send(
    sending: Sending, answer: Answer, recover_seconds: tuple[float, ...]
) -> tuple[Verdict, Count]:
    """What becomes of a payout after a send was answered (the answer already read as evidence)."""
    held, key = sending.held, sending.effect.key
    match answer:
        case Accepted(payout=paid):
            return _accepted(held, key, paid), Count.SUCCEEDED
        case Rejected(code=code, reason=reason):
            detail = f"{code}: {reason}"
            return Verdict(
                subject=held.subject,
                outcome=Outcome(
                    key=key, answer="rejected", state=EffectState.REJECTED, detail=detail
                ),
                path=(PayoutState.PROCESSING, PayoutState.FAILED),
                reason=detail,
                next=Next(subject=held.subject, job=None),
            ), Count.FAILED
        case NotSent(reason=reason):
            return Verdict(
                subject=held.subject,
                outcome=Outcome(
                    key=key, answer="not_sent", state=EffectState.NOT_SENT, detail=reason, sends=-1
                ),
                path=(PayoutState.PROCESSING, PayoutState.APPROVED),
                reason=reason,
                next=_again(held, PUT_BACK_SECONDS, reason),
            ), Count.PUT_BACK
        case Unknown():
            return of_unknown(held, key, answer, recover_seconds), Count.UNKNOWN
        case _:
            assert_never(answer)


def of_unknown(
    held: Held, key: UUID, answer: Unknown, recover_seconds: tuple[float, ...]
) -> Verdict:
    """Nobody can know: the subject stays, its money stays reserved, `payouts.recover` asks."""
    tries = held.tries if held.job == RECOVER else 0
    wait = max(delay(recover_seconds, tries), timedelta(seconds=answer.retry_after_seconds or 0))
    finding = None
    if answer.suspect:
        finding = _finding(FindingKind.PAYOUT_ANSWER_MISMATCH, held.subject, answer.reason)
    elif tries + 1 >= len(recover_seconds) + 1:
        finding = _finding(
            FindingKind.PAYOUT_UNKNOWN_TOO_LONG, held.subject, f"{tries + 1} tries: {answer.reason}"
        )
    return Verdict(
        subject=held.subject,
        outcome=Outcome(key=key, answer="unknown", state=EffectState.UNKNOWN, detail=answer.reason),
        next=Next(
            subject=held.subject,
            job=RECOVER,
            delay=wait,
            tries=tries + 1,
            error=answer.reason,
            parked=f"the provider's answer contradicts the request: {answer.reason}"
            if answer.suspect
            else None,
        ),
        finding=finding,
    )


def _accepted(held: Held, key: UUID, paid: ProviderPayout) -> Verdict:
    soon = _AT_ONCE if paid.status in FINAL else _FIRST_FOLLOW
    return Verdict(held.subject, Next(held.subject, FOLLOW, soon), _heard(key, paid))


def _heard(key: UUID, paid: ProviderPayout, *, named: bool = False) -> Outcome:
    """What an acceptance says; its name only where it is not `named` already."""
    return Outcome(
        key,
        "accepted",
        EffectState.ACCEPTED,
        paid.reason,
        None if named else paid.provider_id,
        paid.raw_status,
        paid.utr,
        paid.created_at,
    )


def of_report(known: Known, paid: ProviderPayout, now: datetime) -> tuple[Verdict, Count]:
    """What becomes of a payout when its provider says where it is: the one completion rule."""
    wrong = mismatch(known, paid)
    if wrong is not None:
        return contradicted(known, wrong, FindingKind.PAYOUT_ANSWER_MISMATCH), Count.PARKED
    return _of_words(known, [paid], now, asked=True)


def of_events(
    known: Known, heard: Sequence[ProviderPayout], now: datetime
) -> tuple[Verdict, Count]:
    """The same for what it said by itself, which may be old: by rank, so that the order of coming does not matter.

    Each of `heard` fits: the caller asked `mismatch`.
    """
    return _of_words(known, heard, now, asked=False)


def _of_words(
    known: Known, heard: Sequence[ProviderPayout], now: datetime, *, asked: bool
) -> tuple[Verdict, Count]:
    path, last, asks = _walk(known.state, heard, asked=asked)
    verdict = Verdict(
        subject=known.held.subject,
        outcome=_told(known, heard, last, is_news=asked or len(path) > 1),
        path=path if len(path) > 1 else (),
        reason=last.reason or (last.raw_status if path[-1] is not PayoutState.COMPLETED else None),
        next=_after(known, path, now, asked=asked, asks=asks),
        finding=_worth_telling(known, path, last),
    )
    return verdict, Count.WAITING if len(path) == 1 else _COUNTS[path[-1]]


def _walk(
    state: PayoutState, heard: Sequence[ProviderPayout], *, asked: bool
) -> tuple[Path, ProviderPayout, bool]:
    """The states that words lead through, the word that led last, and whether the provider must be asked first.

    Money is freed for another payment on the answer to a question of ours alone: whoever learns the secret
    of webhooks could otherwise have everybody paid twice.
    """
    path: Path = (state,)
    last = heard[0]
    for paid in sorted(heard, key=lambda paid: RANKS[paid.status]):
        step = leads_through(path[-1], paid.status)
        if step and step[-1] in SETTLED and not asked:
            return path, last if len(path) > 1 else paid, True
        if step or len(path) == 1:
            path, last = path + step, paid
    return path, last, False


_COUNTS = {
    PayoutState.COMPLETED: Count.SUCCEEDED,
    PayoutState.FAILED: Count.FAILED,
    PayoutState.CANCELLED: Count.FAILED,
    PayoutState.REVERSED: Count.FAILED,
}


def _told(
    known: Known, heard: Sequence[ProviderPayout], last: ProviderPayout, *, is_news: bool
) -> Outcome:
    """What the effect learns; of what has ended, from an event that moves nothing, no more than a UTR."""
    utr = last.utr or next((paid.utr for paid in heard if paid.utr), None)
    if is_news or known.state is PayoutState.PROCESSING:
        named = known.provider_id is not None
        return _heard(known.key, last, named=named)._replace(utr=utr)
    return Outcome(key=known.key, answer="told", state=None, detail=last.raw_status, utr=utr)


def _worth_telling(known: Known, path: Path, last: ProviderPayout) -> Finding | None:
    if is_late(path):
        detail = f"{last.provider_id} is {last.raw_status}; here it was {path[0]}"
        return _finding(FindingKind.PAYOUT_PAID_AFTER_FAILED, known.held.subject, detail)
    if last.status is ProviderStatus.UNRECOGNISED:
        kind = FindingKind.PAYOUT_PROVIDER_STATUS_UNRECOGNISED
        return _finding(kind, known.held.subject, last.raw_status)
    return None


def _after(known: Known, path: Path, now: datetime, *, asked: bool, asks: bool) -> Next:
    subject = known.held.subject
    if asks:
        return Next(subject=subject, job=FOLLOW)
    if path[-1] in SETTLED:
        return Next(subject=subject, job=None)
    if len(path) > 1:  # completed; what came late may be old news, so the provider is asked at once
        wait = _AT_ONCE if is_late(path) else _DAY
        # A look that an earlier word asked for is not put off by this one.
        return Next(subject=subject, job=FOLLOW, delay=wait, no_later=not asked)
    if known.state is PayoutState.COMPLETED:
        watched_until = add_working_days(known.completed_at or now, REVERSAL_DAYS)
        job = FOLLOW if now < watched_until else None
        # Nor by what is said again.
        return Next(subject=subject, job=job, delay=_DAY, no_later=not asked)
    tries = known.held.tries if known.held.job == FOLLOW else 0
    return Next(subject=subject, job=FOLLOW, delay=delay(FOLLOW_SECONDS, tries), tries=tries + 1)


def contradicted(known: Known, reason: str, kind: FindingKind) -> Verdict:
    """Nothing moves; what waits for something is parked, and a person must look."""
    verdict = parked(known.held, reason, kind)
    if known.state in {PayoutState.PENDING, *SETTLED}:
        return verdict._replace(next=Next(subject=known.held.subject, job=None))
    if known.state is PayoutState.APPROVED:
        # It waits for its send, whatever the row is of that it was held by.
        return verdict._replace(next=verdict.next._replace(job=SENDERS[known.payee_kind]))
    return verdict


def parked(held: Held, reason: str, kind: FindingKind) -> Verdict:
    """Nothing moves; a person must look."""
    return Verdict(
        subject=held.subject,
        next=Next(
            subject=held.subject, job=held.job, parked=reason, error=reason, tries=held.tries
        ),
        finding=_finding(kind, held.subject, reason),
    )


def unanswered(held: Held, error: str, at_least_seconds: float = 0) -> Verdict:
    """Nobody was there to be asked: soon again, from the same place on the ladder."""
    wait = max(delay(LOOK_AGAIN_SECONDS, held.tries), timedelta(seconds=at_least_seconds))
    again = Next(subject=held.subject, job=held.job, delay=wait, tries=held.tries, error=error)
    return Verdict(subject=held.subject, next=again)


def postponed(
    held: Held, ladder: tuple[float, ...], error: str, at_least_seconds: float = 0
) -> Verdict:
    """Nothing was learned: the same job asks again later; past the ladder's end a person is told."""
    wait = max(delay(ladder, held.tries), timedelta(seconds=at_least_seconds))
    told = None
    if held.job == RECOVER and held.tries >= len(ladder):
        told = _finding(
            FindingKind.PAYOUT_UNKNOWN_TOO_LONG, held.subject, f"{held.tries + 1} tries: {error}"
        )
    return Verdict(
        subject=held.subject,
        finding=told,
        next=Next(
            subject=held.subject, job=held.job, delay=wait, tries=held.tries + 1, error=error
        ),
    )


def not_at_provider(held: Held) -> Verdict:
    """The provider denies a payout that it has named: nothing moves, since wrong keys look the same."""
    verdict = postponed(held, FOLLOW_SECONDS, NOT_AT_PROVIDER)
    kind = FindingKind.PAYOUT_NOT_AT_PROVIDER
    return verdict._replace(finding=_finding(kind, held.subject, NOT_AT_PROVIDER))


def _again(held: Held, ladder: tuple[float, ...], error: str) -> Next:
    return Next(
        subject=held.subject,
        job=held.job,
        delay=delay(ladder, held.tries),
        tries=held.tries + 1,
        error=error,
    )


def _finding(kind: FindingKind, payout: UUID, detail: str) -> Finding:
    return Finding(kind=kind, subject=f"payout {payout}", detail=detail)
