"""Why a run is where it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.runs import RunState
from domain.why import Surroundings, Why, times


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What the database says of one run. Times are text for people."""

    id: int
    job: str
    state: RunState
    origin: str
    reason: str | None
    due: str
    is_later: bool
    attempts: int
    tally: Mapping[str, int]
    worker: str | None
    """Who holds its lease."""
    held_until: str | None
    is_lapsed: bool
    """Its lease is over and nobody noticed yet."""
    around: Surroundings


def of_run(facts: RunFacts) -> Why:
    """Return the one dominant reason, the evidence and the next safe command."""
    reason, command = _reason(facts)
    counts = ", ".join(f"{name} {count}" for name, count in facts.tally.items() if count)
    lines = [f"{facts.job}, asked for by {facts.origin}, started {times(facts.attempts)}"]
    if counts:
        lines.append(f"tally: {counts}")
    if facts.reason:
        lines.append(f"reason on record: {facts.reason}")
    return Why(reason=reason, evidence=tuple(lines), command=command)


def _reason(facts: RunFacts) -> tuple[str, str | None]:
    match facts.state:
        case RunState.QUEUED | RunState.HELD:
            return _waiting(facts)
        case RunState.RUNNING if facts.is_lapsed:
            reason = f"{facts.worker} has not renewed its lease: it is being marked as crashed"
            return reason, "bursar workers list"
        case RunState.RUNNING:
            reason = f"{facts.worker} runs it, its lease lasts until {facts.held_until}"
            return reason, f"bursar work --job {facts.job}"
        case RunState.SUCCEEDED | RunState.SKIPPED | RunState.CANCELLED:
            return f"it {_ENDED[facts.state]}: {facts.reason or 'nothing more is on record'}", None
        case RunState.FAILED | RunState.CRASHED | RunState.STOPPED:
            return f"it {_ENDS[facts.state]}: {facts.reason or 'no reason given'}", _again(facts)


_ENDED: Final = {
    RunState.SUCCEEDED: "did what there was to do",
    RunState.SKIPPED: "was declined",
    RunState.CANCELLED: "was cancelled",
}
_ENDS: Final = {
    RunState.FAILED: "failed",
    RunState.CRASHED: "lost its worker, and its items come back by their leases",
    RunState.STOPPED: "was asked to stop, and gave back what had not begun",
}


def _again(facts: RunFacts) -> str:
    if facts.origin == "wake":
        return f"bursar work --job {facts.job}  (its items come back by themselves)"
    return f'bursar retry {facts.id} --why "…"'


def _waiting(facts: RunFacts) -> tuple[str, str | None]:
    if facts.around.gates:
        gate = facts.around.gates[0]
        return f"{gate.name} is on, by {gate.who}: {gate.why}", gate.cure
    if facts.state is RunState.HELD:
        return "it was held back and nothing holds it now: it will be queued again", None
    if facts.is_later:
        return f"it is to start at {facts.due}", None
    if facts.around.workers == 0:
        return f"no live worker knows {facts.job}", "bursar worker"
    return (
        f"it waits for a free thread of {facts.around.workers} live workers",
        "bursar runs --state running",
    )
