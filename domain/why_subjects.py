"""Why a subject of any family is where it is, from its state and its work alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from domain.dispersals import DISPERSALS, DispersalState
from domain.why import Place, Surroundings, Why, of_work


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectFacts:
    """What the database says of one subject. Times are text for people."""

    kind: str
    id: str
    state: str
    awaited: str | None
    """The job its state waits for, as its machine has it."""
    last_move: str | None
    """`FROM -> TO by WHOM: why`, the newest."""
    findings: tuple[str, ...]
    """Open findings about it."""
    place: Place | None
    around: Surroundings


_NEXT: Final[Mapping[tuple[str, str], str]] = {
    (DISPERSALS.kind, DispersalState.SENDING): "bursar dispersals show {id}  (names its payout)",
    (
        DISPERSALS.kind,
        DispersalState.FAILED,
    ): 'bursar dispersals retry {id} --why "…"  (once its cause is gone)',
}
"""What a person may do about a subject that no job waits for, by its kind and state."""


def of_subject(facts: SubjectFacts) -> Why:
    """Return the one dominant reason, the evidence and the next safe command."""
    found = _reason(facts)
    lines = [f"state {facts.state}", f"last move: {facts.last_move or 'none yet'}"]
    return replace(found, evidence=(*lines, *facts.findings, *found.evidence))


def _reason(facts: SubjectFacts) -> Why:
    if facts.place is not None:
        return of_work(facts.id, facts.place, facts.around)
    if facts.awaited is None:
        reason = f"it is {facts.state}, and no job waits for it"
        command = _NEXT.get((facts.kind, facts.state))
        told = None if command is None else command.format(id=facts.id)
        return Why(reason=reason, evidence=(), command=told)
    reason = (
        f"it is {facts.state} and waits for {facts.awaited} without a work row: this must not be"
    )
    return Why(reason=reason, evidence=(), command="bursar audit")
