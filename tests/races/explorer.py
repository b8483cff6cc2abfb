"""Enumerates the orders in which the steps of a race can be taken: by switches, fewest first, then by chance.

A schedule is a string of letters, one for each step. After its given part the side that went last
goes on while it can. Every alternative met on the way is a new given part, so each order that can
happen is run exactly once. Its *switches* are the times a side was left although it could go on:
most mistakes show with one or two, so all schedules of few switches are run before any of more.
"""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.races.referee import Choose, Course, DivergedError, Step
from tests.races.sides import Side
from tests.races.stage import Stage

Act = Callable[[Stage], object]
"""What one side does."""
REPEATS_MAX: Final = 5
"""How often a given part is tried: the server's own work may hold a side up for a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """Sides that act on one world at once, and what must hold whoever is first."""

    name: str
    sides: Sequence[Act]
    prepare: Callable[[Stage], Any] = lambda _: None
    """Makes the world; what it returns is `stage.given`."""
    check: Callable[[Stage, Sequence[Side]], None] = lambda _stage, _sides: None
    """Asserts what this race promises, beside every invariant; sees each side's `result` or `error`."""
    errors: tuple[type[Exception], ...] = ()
    """What a side may be told instead of a result."""
    may_deadlock: bool = False
    """Postgres may have to break a side off; its retry must settle it."""


@dataclass(kw_only=True)
class Explored:
    """What was run of a race."""

    schedules: int = 0
    walks: int = 0
    """Of these, by chance."""
    switches: int = -1
    """Every schedule with at most so many switches was run."""
    is_all: bool = False
    """There is no other schedule."""
    waited: int = 0
    deadlocks: int = 0
    steps_max: int = 0
    ids: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        """The figures, for the summary."""
        bound = "all there are" if self.is_all else f"all of up to {self.switches} switches"
        return (
            f"{self.schedules:6} schedules of up to {self.steps_max} steps: {bound}, {self.walks} by chance; "
            f"a side waited in {self.waited}, deadlocks in {self.deadlocks}"
        )

    def add(self, course: Course) -> None:
        """Count a schedule."""
        self.schedules += 1
        self.waited += course.waited
        self.deadlocks += course.deadlocks > 0
        self.steps_max = max(self.steps_max, len(course.steps))
        self.ids.add(course.id)


class BrokenError(AssertionError):
    """A schedule after which something did not hold."""

    def __init__(self, race: Race, course: Course, error: BaseException) -> None:
        self.schedule = f"{race.name}:{course.id}"
        super().__init__(
            f"{race.name}: {type(error).__name__}: {error}\n{course.told()}\n"
            f"again: BURSAR_TEST_SCHEDULE='{self.schedule}' make test TESTS=tests/races"
        )


def explore(stage: Stage, race: Race, *, most: int, walks: int, seed: int = 1) -> Explored:
    """Run at most `most` schedules of fewest switches and up to `walks` more by chance.

    Raises `BrokenError` at the first after which something does not hold.
    """
    done, chance = Explored(), random.Random(seed)
    waiting: defaultdict[int, list[str]] = defaultdict(list)
    waiting[0].append("")
    level = 0
    while waiting and done.schedules < most:
        if not waiting[level]:
            del waiting[level]
            done.switches, level = level, level + 1
            continue
        given = _any_of(waiting[level], chance)
        course = run(stage, race, _follow(given), given)
        done.add(course)
        for letters, switches in _others(course, len(given)):
            waiting[switches].append(letters)
    done.is_all = not any(waiting.values())
    for _ in range(0 if done.is_all else walks):
        course = run(stage, race, lambda _steps, could: chance.choice(could))
        done.walks += course.id not in done.ids
        done.add(course)
    return done


def replay(stage: Stage, race: Race, schedule: str) -> Course:
    """Run one schedule by its id, such as `12A3B9A`."""
    given = "".join(letter * int(count) for count, letter in re.findall(r"(\d+)([A-Z])", schedule))
    return run(stage, race, _follow(given), given)


def run(stage: Stage, race: Race, choose: Choose, given: str = "") -> Course:
    """Run one schedule on the world as it was prepared. Raises `BrokenError` where something does not hold."""
    acts = [lambda act=act: act(stage) for act in race.sides]
    for _ in range(REPEATS_MAX):
        stage.restore()
        try:
            course = stage.referee.run(acts, choose)
            break
        except DivergedError as error:
            diverged = error
    else:
        raise AssertionError(f"{race.name}: {given} is not repeatable: {diverged}")
    try:
        _judge(stage, race, course)
    except AssertionError as error:
        raise BrokenError(race, course, error) from error
    return course


def _judge(stage: Stage, race: Race, course: Course) -> None:
    for side in course.sides:
        if side.error is not None and not isinstance(side.error, race.errors):
            raise AssertionError(f"side {side.letter} broke: {side.error!r}") from side.error
    assert race.may_deadlock or course.deadlocks == 0, "a deadlock: locks in two orders"
    stage.judge()
    race.check(stage, course.sides)


def _follow(given: str) -> Choose:
    """Take the given letters, then let whoever went last go on while it can."""

    def choose(steps: Sequence[Step], could: str) -> str:
        if len(steps) < len(given):
            return given[len(steps)]
        last = steps[-1].letter if steps else ""
        return last if last and last in could else could[0]

    return choose


def _others(course: Course, given: int) -> list[tuple[str, int]]:
    """The given parts that branch off `course` after its own, with their switches."""
    found, switches, last = list[tuple[str, int]](), 0, ""
    for n, step in enumerate(course.steps):
        could_go_on = bool(last) and last in step.could
        if n >= given:
            found += [
                (course.letters[:n] + other, switches + (could_go_on and other != last))
                for other in step.could
                if other != step.letter
            ]
        switches += could_go_on and step.letter != last
        last = step.letter
    return found


def _any_of(waiting: list[str], chance: random.Random) -> str:
    """Take one out, whichever: a level that is not run to its end is a fair sample of it."""
    at = chance.randrange(len(waiting))
    waiting[at], waiting[-1] = waiting[-1], waiting[at]
    return waiting.pop()
