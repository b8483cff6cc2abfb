"""Where a process may die, and how: before and after each statement, commit and outside call.

A point is named by the thread that passes it and its number in that thread, so that it is the same
in every run; a fault is a point and what happens there.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Self


class Side(StrEnum):
    """What the thread is about to do, or has done."""

    BEFORE = "before"
    """A statement is about to be sent."""
    SINGLE = "single"
    """The same; it is a transaction by itself."""
    AFTER = "after"
    """A statement was answered."""
    COMMIT = "commit"
    """A commit is about to be sent."""
    COMMITTED = "committed"
    """A commit was answered."""
    CALLING = "calling"
    """An outside call is about to begin."""
    CALLED = "called"
    """An outside call has happened; nobody here was told."""


class How(StrEnum):
    """What happens there."""

    DIE = "die"
    """The process is gone; nothing of it runs any more."""
    DIE_SENDING = "die_sending"
    """The commit is on its way; the process is gone before an answer."""
    CUT = "cut"
    """The connection is lost before the request leaves; the process lives on."""
    CUT_REPLY = "cut_reply"
    """The server does as asked; the connection is lost before its answer; the process lives on."""

    @property
    def kills(self) -> bool:
        """Whether the process is gone after it."""
        return self in {How.DIE, How.DIE_SENDING}


WAYS = {
    Side.BEFORE: (How.DIE, How.CUT),
    Side.SINGLE: (How.DIE, How.CUT, How.CUT_REPLY),
    Side.AFTER: (How.DIE,),
    Side.COMMIT: (How.DIE, How.DIE_SENDING, How.CUT, How.CUT_REPLY),
    Side.COMMITTED: (How.DIE,),
    Side.CALLING: (How.DIE,),
    Side.CALLED: (How.DIE,),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One point of one thread; `what` says it in words."""

    thread: str
    number: int
    side: Side
    what: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One point, and what happens there."""

    thread: str
    number: int
    side: Side
    how: How

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `thread:number:side:how`, as a report prints it."""
        thread, number, side, how = text.split(":")
        return cls(thread, int(number), Side(side), How(how))

    def __str__(self) -> str:
        return f"{self.thread}:{self.number}:{self.side}:{self.how}"


def common(runs: Sequence[Sequence[Point]]) -> list[Point]:
    """The points that every one of `runs` passed: the beginnings of their threads that are the same."""
    found = []
    for thread in sorted({point.thread for run in runs for point in run}):
        ways = [[point for point in run if point.thread == thread] for run in runs]
        for together in zip(*ways, strict=False):
            if len(set(together)) > 1:
                break
            found.append(together[0])
    return found


def faults(points: Sequence[Point]) -> list[Fault]:
    """Everything that can happen at `points`."""
    return [
        Fault(point.thread, point.number, point.side, how)
        for point in points
        for how in WAYS[point.side]
    ]


def sample(found: Sequence[Fault], count: int, seed: str) -> list[Fault]:
    """`count` of them, always the same: each side and way once, the rest spread over the whole."""
    chance = Random(zlib.crc32(seed.encode()))
    kinds: dict[tuple[Side, How], list[Fault]] = {}
    for fault in found:
        kinds.setdefault((fault.side, fault.how), []).append(fault)
    chosen = {chance.choice(kind): None for kind in kinds.values()}
    rest = [fault for fault in found if fault not in chosen]
    missing = max(0, min(count - len(chosen), len(rest)))
    step = len(rest) / missing if missing else 0
    offset = chance.random()
    chosen.update({rest[int((n + offset) * step) % len(rest)]: None for n in range(missing)})
    return list(chosen)
