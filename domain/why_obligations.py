"""Why an obligation is where it is: what is open of it, what came in, how that was divided."""

from dataclasses import dataclass, replace

from domain.money import Minor, Money
from domain.obligations import ObligationState
from domain.why import Why
from domain.why_subjects import SubjectFacts, of_subject

_S = ObligationState
_REASONS = {
    _S.DUE: "nothing was received for it",
    _S.PARTIALLY_SETTLED: "a part of it is open: it waits for money",
    _S.DISPERSED: "what it received is divided among its lenders",
    _S.ESCALATED: "what it received could not be divided, and is in suspense for a person to look at",
    _S.RETURNED: "what it received was given back out of suspense",
    _S.WAIVED: "it is owed no more, and nothing was received for it",
    _S.WRITTEN_OFF: "nobody expects it any more, and nothing was received for it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObligationFacts:
    """What the database says of one obligation; amounts in minor units. Dates are text for people."""

    subject: SubjectFacts
    currency: str
    amount: int
    open: int
    received: int
    due_on: str
    settled_on: str | None
    fee: int | None
    """What the servicing fee took; None: it is not divided."""
    distributable: int | None
    shares: int | None
    eligible_on: str | None
    failures: tuple[str, ...] = ()
    """Of healing: when, the how manieth, and why."""


def of_obligation(facts: ObligationFacts) -> Why:
    """Return the one dominant reason, the evidence and the next safe command."""
    plain = of_subject(facts.subject)
    state = ObligationState(facts.subject.state)
    command = plain.command
    if state is _S.STALLED:
        why = f"it could not be divided: {plain.reason}"
        command = command or f'bursar obligations retry {facts.subject.id} --why "…"'
    else:
        why = _REASONS.get(state, plain.reason)
    if state is _S.ESCALATED:
        command = f'bursar obligations resolve {facts.subject.id} --why "…"  (once it is put right)'
    return replace(
        plain,
        reason=why,
        evidence=(*_money(facts), *facts.failures, *plain.evidence),
        command=command,
    )


def _money(facts: ObligationFacts) -> list[str]:
    def said(minor: int) -> str:
        return str(Money(minor=Minor(minor), currency=facts.currency))

    settled = f", settled {facts.settled_on}" if facts.settled_on else ""
    lines = [
        f"{said(facts.amount)} due {facts.due_on}{settled}",
        f"{said(facts.received)} received, {said(facts.open)} open",
    ]
    if facts.shares is not None:
        lines.append(
            f"fee {said(facts.fee or 0)}, {said(facts.distributable or 0)} to {facts.shares} lenders, "
            f"who may have it from {facts.eligible_on}"
        )
    return lines
