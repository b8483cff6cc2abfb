"""A run told: tables for people, one object for programs."""

from collections.abc import Iterator

from workers.chaos.outcome import Outcome


def lines(outcome: Outcome) -> Iterator[str]:
    """Yield the report; of a run that failed also what is needed to find out why."""
    plan, course = outcome.plan, outcome.course
    yield f"{plan.name}: seed {plan.seed}, lease {plan.lease_seconds:g} s"
    for name, value in outcome.figures.items():
        yield f"  {name:<26} {'not measured' if value is None else value}"
    yield "faults made"
    for fault, times in sorted(course.counts.items()):
        yield f"  {times:>5}  {fault}"
    for name in outcome.plan.impossible:
        yield f"  NOT POSSIBLE here: {name} (it proves nothing about this fault)"
    yield "sometimes"
    for sight in sorted(outcome.sights, key=lambda s: -s.times):
        mark = "MISSING" if sight.is_missing else f"{sight.times:>7}"
        yield f"  {mark}  {sight.rare.name}{'' if sight.due else ' (not due)'}"
    yield "promises"
    for check in outcome.checks:
        yield f"  {'holds ' if check.holds else 'BROKEN'}  {check.name}: {check.detail}"
    if outcome.planted:
        yield f"planted by the canary: {outcome.planted}"
    if not outcome.holds:
        yield from _evidence(outcome)
    yield _verdict(outcome)


def as_json(outcome: Outcome) -> dict[str, object]:
    """Return everything as one object."""
    return {
        "name": outcome.plan.name,
        "holds": outcome.holds,
        "seed": outcome.plan.seed,
        "lease_seconds": outcome.plan.lease_seconds,
        "figures": dict(outcome.figures),
        "faults": [
            {"at_seconds": s.at_seconds, "fault": s.fault, "detail": s.detail}
            for s in outcome.course.struck
        ],
        "faults_missed": [s.fault for s in outcome.course.missed],
        "faults_impossible": list(outcome.plan.impossible),
        "sometimes": {
            s.rare.name: {"times": s.times, "due": s.due, "missing": s.is_missing}
            for s in outcome.sights
        },
        "promises": [
            {"name": c.name, "holds": c.holds, "detail": c.detail} for c in outcome.checks
        ],
        "planted": outcome.planted,
        "histories": {str(id_): list(told) for id_, told in outcome.histories.items()},
    }


def _evidence(outcome: Outcome) -> Iterator[str]:
    yield f"seed {outcome.plan.seed}; the faults, in seconds since the start"
    for struck in outcome.course.struck:
        yield f"  {struck.at_seconds:>7.2f}  {struck.fault}: {struck.detail}"
    for id_, told in outcome.histories.items():
        yield f"payout {id_}"
        for line in told:
            yield f"    {line}"


def _verdict(outcome: Outcome) -> str:
    if outcome.was_stopped:
        return "Stopped before its end: nothing is proven."
    if outcome.broken:
        return f"BROKEN: {', '.join(check.name for check in outcome.broken)}"
    if outcome.missing:
        names = ", ".join(sight.rare.name for sight in outcome.missing)
        return f"VOID: what this storm should have brought never came: {names}"
    left_out = f", but for {', '.join(outcome.plan.impossible)}" if outcome.plan.impossible else ""
    return f"Everything promised held{left_out}."
