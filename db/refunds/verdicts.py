"""From what a gateway said to what becomes of the refund: pure decisions over held rows."""

from datetime import timedelta
from typing import Final, assert_never
from uuid import UUID

from db.effects import Outcome
from db.refunds.facts import Refund
from db.refunds.settle import Verdict
from db.work import Held, Next
from domain.answers import NotSent, Rejected, Unknown
from domain.backoff import FOLLOW_SECONDS, PUT_BACK_SECONDS, delay
from domain.checkout_answers import ProviderRefund, RefundAnswer, RefundStatus, Taken
from domain.effects import EffectState
from domain.findings import Finding, FindingKind
from domain.payout_ids import reference
from domain.refunds import CASCADE, RECOVER, RefundState
from domain.tally import Count

_K: Final = FindingKind


def of_send(
    held: Held, refund: Refund, answer: RefundAnswer, recover_seconds: tuple[float, ...]
) -> tuple[Verdict, Count]:
    """What becomes of a refund after a send was answered (the answer already read as evidence)."""
    key = refund.effect_key
    match answer:
        case Taken(thing=given):
            return of_report(held, refund, given)
        case Rejected(code=code, reason=reason):
            detail = f"{code}: {reason}"
            refused = Outcome(key=key, answer="rejected", state=EffectState.REJECTED, detail=detail)
            return _failed(held, refused, detail), Count.FAILED
        case NotSent(reason=reason):
            return Verdict(
                subject=held.subject,
                outcome=Outcome(
                    key=key, answer="not_sent", state=EffectState.NOT_SENT, detail=reason, sends=-1
                ),
                target=RefundState.RESERVED,
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
    """Nobody can know: the refund stays, its part stays reserved, `refunds.recover` asks."""
    tries = held.tries if held.job == RECOVER else 0
    wait = max(delay(recover_seconds, tries), timedelta(seconds=answer.retry_after_seconds or 0))
    why = f"the gateway's answer contradicts the request: {answer.reason}"
    told = None
    if answer.suspect:
        told = _finding(_K.REFUND_ANSWER_MISMATCH, held.subject, answer.reason)
    elif tries >= len(recover_seconds):
        detail = f"{tries + 1} tries: {answer.reason}"
        told = _finding(_K.REFUND_UNKNOWN_TOO_LONG, held.subject, detail)
    return Verdict(
        subject=held.subject,
        outcome=Outcome(key=key, answer="unknown", state=EffectState.UNKNOWN, detail=answer.reason),
        next=Next(
            subject=held.subject,
            job=RECOVER,
            delay=wait,
            tries=tries + 1,
            error=answer.reason,
            parked=why if answer.suspect else None,
        ),
        finding=told,
    )


def mismatch(refund: Refund, given: ProviderRefund) -> str | None:
    """How what the gateway says contradicts what was asked of it, or None."""
    ours = reference(refund.id, refund.generation)
    told = {
        "amount": (refund.gateway, given.amount_minor),
        "currency": (refund.currency, given.currency),
        "reference": (ours, given.reference or ours),
        "capture": (refund.captured_as or given.payment_id, given.payment_id),
        "id": (refund.given_as or given.provider_id, given.provider_id),
    }
    wrong = [
        f"{name} is {theirs!r}, not {mine!r}"
        for name, (mine, theirs) in told.items()
        if mine != theirs
    ]
    return f"the gateway's refund {given.provider_id}: {', '.join(wrong)}" if wrong else None


def of_report(held: Held, refund: Refund, given: ProviderRefund) -> tuple[Verdict, Count]:
    """What becomes of a refund when its gateway says where it is: the one completion rule."""
    wrong = mismatch(refund, given)
    if wrong is not None:
        return parked(held, wrong, _K.REFUND_ANSWER_MISMATCH), Count.PARKED
    heard = _heard(refund, given)
    match given.status:
        case RefundStatus.SUCCEEDED:
            return _succeeded(held, refund, heard), Count.SUCCEEDED
        case RefundStatus.FAILED:
            return _failed(held, heard, given.raw_status), Count.FAILED
        case RefundStatus.PENDING | RefundStatus.UNRECOGNISED:
            told = None
            if given.status is RefundStatus.UNRECOGNISED:
                kind = _K.REFUND_STATUS_UNRECOGNISED
                told = _finding(kind, held.subject, given.raw_status)
            again = _again(held, FOLLOW_SECONDS, None)._replace(job=RECOVER)
            if held.job != RECOVER or refund.effect_state != EffectState.ACCEPTED:
                again = Next(held.subject, RECOVER, delay(FOLLOW_SECONDS, 0), tries=1)
            return Verdict(
                subject=held.subject,
                next=again,
                outcome=heard,
                given_as=given.provider_id,
                finding=told,
            ), Count.WAITING
        case _:
            assert_never(given.status)


def _heard(refund: Refund, given: ProviderRefund) -> Outcome:
    """What an acceptance says; its name only where the effect has none."""
    return Outcome(
        key=refund.effect_key,
        answer="accepted",
        state=EffectState.ACCEPTED,
        provider_id=None if refund.given_as else given.provider_id,
        status=given.raw_status,
        accepted_at=given.created_at,
    )


def _succeeded(held: Held, refund: Refund, heard: Outcome) -> Verdict:
    late = refund.state == RefundState.FAILED
    told = None
    if late:
        why = "the gateway gave it after it had said that it failed"
        told = _finding(_K.REFUND_CONTRADICTED, held.subject, why)
    return Verdict(
        subject=held.subject,
        next=Next(subject=held.subject, job=CASCADE),
        outcome=heard,
        source=RefundState(refund.state),
        target=RefundState.SUCCEEDED,
        given_as=heard.provider_id,
        finding=told,
    )


def _failed(held: Held, outcome: Outcome, reason: str) -> Verdict:
    return Verdict(
        subject=held.subject,
        next=Next(subject=held.subject, job=None),
        outcome=outcome,
        target=RefundState.FAILED,
        given_as=outcome.provider_id,
        reason=reason,
        finding=_finding(_K.REFUND_FAILED, held.subject, reason),
    )


def parked(held: Held, reason: str, kind: FindingKind) -> Verdict:
    """Nothing moves by itself any more: a person decides."""
    again = Next(subject=held.subject, job=RECOVER, parked=reason, error=reason, tries=held.tries)
    return Verdict(held.subject, again, finding=_finding(kind, held.subject, reason))


def postponed(
    held: Held, ladder: tuple[float, ...], error: str, at_least_seconds: float = 0
) -> Verdict:
    """Nothing was learned: the same job asks again later; past the ladder's end a person is told."""
    wait = max(delay(ladder, held.tries), timedelta(seconds=at_least_seconds))
    told = None
    if held.tries >= len(ladder):
        detail = f"{held.tries + 1} tries: {error}"
        told = _finding(_K.REFUND_UNKNOWN_TOO_LONG, held.subject, detail)
    again = Next(held.subject, held.job, wait, held.tries + 1, error)
    return Verdict(held.subject, again, finding=told)


def _again(held: Held, ladder: tuple[float, ...], error: str | None) -> Next:
    return Next(held.subject, held.job, delay(ladder, held.tries), held.tries + 1, error)


def _finding(kind: FindingKind, refund: UUID, detail: str) -> Finding:
    return Finding(kind=kind, subject=f"refund {refund}", detail=detail)
