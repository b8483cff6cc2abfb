"""One run from a fresh home to its verdict; servers, processes and home are gone afterwards."""

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from db.chaos import verdict
from workers.chaos.building import house
from workers.chaos.evidence import Evidence, gather
from workers.chaos.house import House
from workers.chaos.numbers import completion, numbers, of_completion, of_figures, sights
from workers.chaos.outcome import Outcome
from workers.chaos.people import People
from workers.chaos.plan import Plan
from workers.chaos.recovery import Figure
from workers.chaos.storm import Course, Storm
from workers.chaos.verdict import Check, judge
from workers.signals import survive_stop

HISTORIES_MAX: Final = 20


class Driver(Protocol):
    """What drives a run from within the supervisor's loop."""

    course: Course
    figures: list[Figure]

    def step(self) -> bool:
        """Go on a little; True at the end."""


Drive = Callable[[House, People], Driver]


def run(plan: Plan, output: Path | None = None, drive: Drive = Storm) -> Outcome:
    """Let the plan happen and judge what is left; logs are kept in `output`, which exists."""
    with ExitStack() as stack:
        made = stack.enter_context(house(plan))
        if output is not None:
            stack.callback(shutil.copyfile, made.log, output / f"{plan.name}-{plan.seed}.log")
        people = People(made, rate_of(plan))
        people.prepare()
        storm = drive(made, people)
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
        return _judged(made, people, storm)


def rate_of(plan: Plan) -> Callable[[], float]:
    """Return how many payouts a second come in, by the time since the first was asked for."""
    started = time.monotonic()

    def rate() -> float:
        seconds = time.monotonic() - started
        if seconds >= plan.storm_seconds:
            return 0.0
        begins, ends, factor = plan.surge
        return plan.rate_per_second * (factor if begins <= seconds < ends else 1.0)

    return rate


def _judged(made: House, people: People, driver: Driver) -> Outcome:
    course = driver.course
    planted = made.bank.plant(made.plan.canary) if made.plan.canary else ""
    found = gather(made, people, course)
    ratio = completion(made, course)
    checks = [*judge(found), *of_figures(driver.figures), *of_completion(ratio)]
    return Outcome(
        plan=made.plan,
        course=course,
        checks=checks,
        sights=sights(made.plan, found),
        figures=numbers(found) | ratio,
        planted=planted,
        histories=_histories(made, found, checks),
    )


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
