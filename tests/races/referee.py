"""Runs one schedule: lets one side take one step at a time, and sees who waits for whose lock."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from tests.races.sides import Side

LOOK_SECONDS: Final = 0.003
LOOK_SECONDS_MAX: Final = 0.05
BLOCKED_LOOKS: Final = 2
"""Looks in a row that must show a side blocked. Postgres has looked for a deadlock by then, so that
whoever closes a circle later is the one it breaks: schedules stay repeatable."""
REST_SECONDS_MAX: Final = 30.0


class DivergedError(Exception):
    """The schedule asked for a side that cannot go here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step taken, and who could have taken one then."""

    letter: str
    label: str
    could: str
    waits: str = ""
    """The sides that waited for a lock after it."""


Choose = Callable[[Sequence[Step], str], str]
"""`choose(steps so far, letters that can go)` returns the letter that goes."""


@dataclass(kw_only=True)
class Course:
    """A schedule as it was run."""

    steps: list[Step] = field(default_factory=list)
    sides: list[Side] = field(default_factory=list)

    @property
    def deadlocks(self) -> int:
        """How often Postgres broke a side off to end a circle of waits."""
        return sum(side.deadlocks for side in self.sides)

    @property
    def letters(self) -> str:
        """Who took each step."""
        return "".join(step.letter for step in self.steps)

    @property
    def id(self) -> str:
        """The same, short: `3A2B` is AAABB."""
        return "".join(f"{len([*run])}{letter}" for letter, run in groupby(self.letters))

    @property
    def waited(self) -> bool:
        """Whether a side waited for another's lock."""
        return any(step.waits for step in self.steps)

    def told(self) -> str:
        """The schedule for a person: a line for each step, then how each side ended."""
        lines = [
            f"  {n:3} {'    ' * (ord(s.letter) - ord('A'))}{s.letter} {s.label}"
            + (f"      ({', '.join(s.waits)} waits)" if s.waits else "")
            for n, s in enumerate(self.steps, 1)
        ]
        ends = [f"  {s.letter} ended with {s.error or s.result!r:.300}" for s in self.sides]
        return "\n".join([*lines, *ends])


class Referee:
    """Watches with a connection of its own, as superuser."""

    def __init__(self, superuser_url: str) -> None:
        url = sa.make_url(superuser_url).set(drivername="postgresql")
        self._look = psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)

    def close(self) -> None:
        """Close its connection."""
        self._look.close()

    def run(self, acts: Sequence[Callable[[], object]], choose: Choose) -> Course:
        """Run the sides to their ends in the order `choose` says.

        Raises `DivergedError` where it names a side that cannot go; the sides have ended then too.
        """
        course = Course(sides=[Side(chr(ord("A") + n), act) for n, act in enumerate(acts)])
        with _ended(course.sides):
            for side in course.sides:
                side.start()
            self._come_to_rest(course.sides)
            while could := "".join(side.letter for side in course.sides if side.can_go):
                letter = choose(course.steps, could)
                if letter not in could:
                    raise DivergedError(f"{letter} cannot go after {course.id}")
                side = course.sides[ord(letter) - ord("A")]
                label = side.label or ""
                side.go()
                self._come_to_rest(course.sides)
                waits = "".join(s.letter for s in course.sides if s.waits)
                course.steps.append(Step(letter=letter, label=label, could=could, waits=waits))
        return course

    def _come_to_rest(self, sides: Sequence[Side]) -> None:
        """Return once every side stands, has ended, or waits for another; and some side can go or all ended."""
        limit = time.monotonic() + REST_SECONDS_MAX
        before: object = None
        while True:
            for side in sides:
                if side.is_moving:
                    self._follow(side, sides, limit)
            now = [(side.is_moving, side.label, side.waits) for side in sides]
            is_over = any(s.can_go for s in sides) or all(s.has_ended for s in sides)
            if now == before and is_over:
                return
            before = now
            assert time.monotonic() < limit, f"stuck: {now}"

    def _follow(self, side: Side, sides: Sequence[Side], limit: float) -> None:
        """Until it stands or surely waits. A slow statement is not a blocked one."""
        pause, looks = LOOK_SECONDS, BLOCKED_LOOKS - 1 if side.waits else 0
        while not side.comes_to_stand(0.0 if side.waits else pause):
            looks = looks + 1 if self._is_blocked(side, sides) else 0
            side.waits = looks >= BLOCKED_LOOKS
            if side.waits:
                return
            # Each look costs what it waits for: on a busy machine seldom ones are the quicker.
            pause = LOOK_SECONDS if looks else min(pause * 2, LOOK_SECONDS_MAX)
            assert time.monotonic() < limit, f"side {side.letter} neither stands nor waits"

    def _is_blocked(self, side: Side, sides: Sequence[Side]) -> bool:
        others = [s.pid for s in sides if s is not side and s.pid]
        row: Any = self._look.execute(
            "SELECT pg_blocking_pids(%s) && %s::int[]", (side.pid, others)
        ).fetchone()
        return bool(row[0])


@contextmanager
def _ended(sides: Sequence[Side]) -> Iterator[None]:
    """Whatever happens, no side is left standing."""
    try:
        yield
    finally:
        for side in sides:
            if side.label is not None or side.is_moving:
                side.end()
