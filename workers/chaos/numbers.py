"""What a run comes to in numbers, and those of them that have a bound."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final

from db.chaos import pressure
from workers.chaos.evidence import Evidence
from workers.chaos.house import House
from workers.chaos.outcome import Sight
from workers.chaos.plan import Plan
from workers.chaos.recovery import Figure
from workers.chaos.scenarios import COMPLETION_MIN, PATIENCE_SECONDS, PHASES, SCENARIOS, edges
from workers.chaos.sometimes import RARE
from workers.chaos.storm import Course
from workers.chaos.strikes import PASSIVE
from workers.chaos.verdict import Check, doubled, lost

COMPLETION: Final = "completion_against_baseline"


def sights(plan: Plan, found: Evidence) -> list[Sight]:
    """Return what was seen of everything rare, and what was due."""
    made = dict(found.course.counts) | {name: 1 for name in PASSIVE if name in plan.faults}
    return [
        Sight(
            rare=rare,
            times=rare.seen(found),
            due=rare.is_due(made, found.course.storm_seconds),
        )
        for rare in RARE
    ]


def numbers(found: Evidence) -> dict[str, object]:
    """Return the numbers of a run, jobs lost and doubled counted by id."""
    recovery = found.course.recovery
    return {
        "payouts_accepted": len(found.accepted),
        "payouts": len(found.payouts),
        "transfers": len(found.transfers),
        "sends": sum(t.sends for t in found.transfers),
        "jobs_lost": len(lost(found)),
        "jobs_doubled": len(doubled(found)),
        "unknown_left": found.course.unknown,
        "faults_made": len(found.course.struck),
        "bank_faults": sum(n for name, n in found.facts.items() if name.startswith("fault:")),
        "storm_seconds": found.course.storm_seconds,
        "quiet_seconds": found.course.quiet_seconds,
        "recovery_bound_seconds": recovery.bound_seconds if recovery else None,
        "recovery_items": len(recovery.held) if recovery else None,
        "recovery_freed_seconds": recovery.freed_seconds if recovery else None,
        "recovery_claimed_seconds": recovery.claimed_seconds if recovery else None,
        "recovery_settled_seconds": recovery.settled_seconds if recovery else None,
    }


def completion(made: House, course: Course) -> dict[str, object]:
    """Return the payouts completed each second of each phase, and what part of those that came was so in time.

    The part after the fault is held against the part before it: by id, as rates over short phases are chance.
    """
    bounds = edges(made.plan) if made.plan.name in SCENARIOS else []
    if not bounds:
        return {}
    moments = [course.began_at + timedelta(seconds=at) for at in bounds]
    with made.observer.begin() as tx:
        seen = dict(zip(PHASES, pressure.phases(tx, moments, PATIENCE_SECONDS), strict=False))
    lengths = [ends - begins for begins, ends in pairwise(bounds)]
    told: dict[str, object] = {
        f"completed_a_second_{name}": round(phase.completed / seconds, 1)
        for (name, phase), seconds in zip(seen.items(), lengths, strict=False)
    }
    before, after = seen["baseline"].share, seen["recovery"].share
    told["completed_in_time_before"], told["completed_in_time_after"] = before, after
    return told | {COMPLETION: round(after / before, 3) if before and after is not None else None}


def of_completion(told: Mapping[str, object]) -> list[Check]:
    """Hold the completion against what it must be; there is none of a storm."""
    if COMPLETION not in told:
        return []
    ratio = told[COMPLETION]
    holds = isinstance(ratio, float) and ratio >= COMPLETION_MIN
    detail = (
        f"within {PATIENCE_SECONDS:g} s: {ratio} of the baseline's share, {COMPLETION_MIN} at least"
    )
    return [
        Check(name="after the fault as much is completed as before", holds=holds, detail=detail)
    ]


def of_figures(figures: Sequence[Figure]) -> list[Check]:
    """Hold each figure against its bound."""
    return [
        Check(
            name=figure.name,
            holds=figure.holds,
            detail=f"{figure.seconds} s, bound {figure.bound_seconds:g} s",
        )
        for figure in figures
    ]
