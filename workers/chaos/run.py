"""One run from a fresh home to its verdict; servers, processes and home are gone afterwards."""

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from uuid import UUID

from db.chaos import verdict
from workers.chaos.evidence import Evidence, gather
from workers.chaos.house import House, house
from workers.chaos.outcome import Outcome, Sight
from workers.chaos.people import People
from workers.chaos.plan import Plan
from workers.chaos.sometimes import RARE
from workers.chaos.storm import Course, Storm
from workers.chaos.strikes import PASSIVE
from workers.chaos.verdict import Check, doubled, judge, lost
from workers.signals import survive_stop

HISTORIES_MAX: Final = 20


def run(plan: Plan, output: Path | None = None) -> Outcome:
    """Let the plan happen and judge what is left; logs are kept in `output`, which exists."""
    with ExitStack() as stack:
        made = stack.enter_context(house(plan))
        if output is not None:
            stack.callback(shutil.copyfile, made.log, output / f"{plan.name}-{plan.seed}.log")
        people = People(made, rate_of(plan))
        people.prepare()
        storm = Storm(made, people)
        people.start()
        try:
            made.supervisor.run(until=storm.step)
        finally:
            survive_stop()
            people.stop()
        if made.supervisor.asked_to_stop:
            return Outcome(
                plan=plan, course=storm.course, checks=(), sights=(), figures={}, was_stopped=True
            )
        return _judged(made, people, storm.course)


def rate_of(plan: Plan) -> Callable[[], float]:
    """Return how many payouts a second come in, by the time since the first was asked for."""
    started = time.monotonic()

    def rate() -> float:
        return plan.rate_per_second if time.monotonic() - started < plan.storm_seconds else 0.0

    return rate


def _judged(made: House, people: People, course: Course) -> Outcome:
    planted = made.bank.plant(made.plan.canary) if made.plan.canary else ""
    found = gather(made, people, course)
    checks = judge(found)
    return Outcome(
        plan=made.plan,
        course=course,
        checks=checks,
        sights=sights(made.plan, found),
        figures=figures(found),
        planted=planted,
        histories=_histories(made, found, checks),
    )


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


def figures(found: Evidence) -> dict[str, object]:
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


def _histories(made: House, found: Evidence, checks: Sequence[Check]) -> dict[UUID, Sequence[str]]:
    concerned = list(dict.fromkeys(id_ for check in checks for id_ in check.payouts))
    told: dict[UUID, Sequence[str]] = {}
    for id_ in concerned[:HISTORIES_MAX]:
        with made.observer.begin() as tx:
            rows = verdict.history(tx, id_)
        ours = [f"{row.at:%H:%M:%S.%f} {row.what}: {row.detail}" for row in rows]
        theirs = [f"the bank: {t}" for t in found.transfers if t.reference.startswith(str(id_))]
        told[id_] = [*ours, *theirs]
    return told
