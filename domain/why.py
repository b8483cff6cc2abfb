"""Why something is where it is: one dominant reason, the evidence, the next safe command. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """An answer for an operator; `command` None means that nothing is to be done."""

    reason: str
    evidence: tuple[str, ...]
    command: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A switch that is on, and who turned it."""

    name: str
    who: str
    why: str

    @property
    def cure(self) -> str:
        """The command that opens it."""
        kind, _, rest = self.name.partition(":")
        match kind:
            case "maintenance":
                return 'bursar maintenance off --why "…"'
            case "restored":
                return "bursar reconcile effects"
            case "hold" if rest == "payouts":
                return 'bursar payouts resume --why "…"'
            case "schedule":
                return f'bursar schedules resume {rest} --why "…"'
            case _:
                return f'bursar maintenance release {self.name} --why "…"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a work row is in the queue of its job, as the database's clock has it."""

    job: str
    due: str
    """When it is due, for people."""
    is_later: bool
    holder: int | None
    """The run whose lease on it is live."""
    held_until: str | None
    parked: str | None
    last_error: str | None
    tries: int
    ahead: int
    """Rows of its job that are due before it, counted up to 1,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What holds for every item of a job."""

    gates: tuple[Gate, ...]
    workers: int
    """Live processes that know the job."""


def of_work(subject: str, place: Place, around: Surroundings) -> Why:
    """Why a work row waits: parked, held by a run, held back, nobody there, not due, or in the queue."""
    evidence = _evidence(place)
    if place.parked is not None:
        command = f'bursar work unpark {subject} --why "…"  (once its cause is gone)'
        return Why(reason=f"it is parked: {place.parked}", evidence=evidence, command=command)
    if place.holder is not None:
        reason = f"run {place.holder} is working on it until {place.held_until} at the longest"
        return Why(reason=reason, evidence=evidence, command=f"bursar run {place.holder}")
    if around.gates:
        gate = around.gates[0]
        reason = f"{gate.name} is on, by {gate.who}: {gate.why}"
        more = tuple(f"{g.name} is on too, by {g.who}: {g.why}" for g in around.gates[1:])
        return Why(reason=reason, evidence=evidence + more, command=gate.cure)
    if place.is_later:
        cause = f", after: {place.last_error}" if place.last_error else ""
        reason = f"{place.job} is due at {place.due}{cause}"
        return Why(reason=reason, evidence=evidence, command=None)
    if around.workers == 0:
        reason = f"no live worker knows {place.job}"
        return Why(reason=reason, evidence=evidence, command="bursar worker")
    reason = f"it is due and waits its turn for {place.job}: {place.ahead} before it, {around.workers} live workers"
    return Why(
        reason=reason, evidence=evidence, command=f"bursar jobs  # {around.workers} live workers"
    )


def times(count: int) -> str:
    """How often, for people: `once`, `3 times`."""
    return "once" if count == 1 else f"{count} times"


def _evidence(place: Place) -> tuple[str, ...]:
    lines = [f"waits for {place.job}, due {place.due}, tried {times(place.tries)}"]
    if place.last_error:
        lines.append(f"last error: {place.last_error}")
    return tuple(lines)
