"""Why a refund is where it is: who decides, what the gateway says, which payout its books wait for."""

from dataclasses import dataclass, replace

from domain.refunds import RefundState
from domain.why import Why
from domain.why_subjects import SubjectFacts, of_subject


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFacts:
    """What the database says of one refund. Times and amounts are text for people."""

    subject: SubjectFacts
    payment: str
    amount: str
    by_gateway: bool
    """Whether a gateway is to give a part of it."""
    given_as: str | None
    effect_state: str | None
    status: str | None
    """The gateway's own word, the newest."""
    error: str | None
    asked: str
    captured_as: str | None
    payout: str | None
    """The live payout that pays its earning, and where that is."""
    is_taken_back: bool
    """Whether its gateway said that it failed after it had been given."""
    again: str | None
    """The refund that gives it again, and where that is."""


def of_refund(facts: RefundFacts) -> Why:
    """Return the one dominant reason, the evidence and the next safe command."""
    plain = of_subject(facts.subject)
    evidence = (f"{facts.amount} of payment {facts.payment}", facts.asked, *_gateway(facts))
    return replace(_reason(facts, plain), evidence=(*evidence, *plain.evidence))


def _gateway(facts: RefundFacts) -> tuple[str, ...]:
    if not facts.by_gateway:
        return ("no gateway is asked for any of it",)
    called = facts.given_as or "nothing yet"
    told = (
        f"its capture is called {facts.captured_as or 'nothing yet'}, it is called {called}",
        f"its effect is {facts.effect_state or 'not begun'}",
    )
    return told if facts.status is None else (*told, f"the gateway says {facts.status}")


def _reason(facts: RefundFacts, plain: Why) -> Why:
    id_, state = facts.subject.id, facts.subject.state
    if state == RefundState.PROPOSED:
        reason = "it was proposed: a person must approve or reject it"
        return replace(plain, reason=reason, command=f"bursar refunds approve {id_} --why …")
    if state == RefundState.FAILED:
        reason = f"it was not given: {facts.error or 'the gateway says so'}"
        return replace(plain, reason=reason, command=f"bursar refunds retry {id_} --why …")
    if facts.is_taken_back:
        return _taken_back(facts, plain)
    if state == RefundState.SUCCEEDED and facts.payout is not None and _is_put_off(facts):
        reason = f"it was given; its books wait for payout {facts.payout}"
        return replace(plain, reason=reason)
    return plain


def _taken_back(facts: RefundFacts, plain: Why) -> Why:
    id_, why = facts.subject.id, "its gateway took it back after it was given"
    if facts.again is not None:
        return replace(plain, reason=f"{why}: it is given again by refund {facts.again}")
    reason = f"{why}: its customer does not have the money"
    if facts.subject.state != RefundState.CASCADED:
        return replace(plain, reason=f"{reason}, and it is to be in the books first")
    return replace(plain, reason=reason, command=f"bursar refunds again {id_} --why …")


def _is_put_off(facts: RefundFacts) -> bool:
    place = facts.subject.place
    return place is not None and place.is_later and place.parked is None
