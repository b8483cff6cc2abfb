"""Where a process may die, and how: before and after each statement, commit and outside call.

A point is named by its thread, by what is done there, and by how many times that thread had come to it,
so that it is the same in every run, however often a thread looked for more meanwhile.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
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


RENEWAL = "renewal"
"""The thread whose one statement comes where a run lasts for seconds: on a busy machine, and not in the next run."""
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
    """The `number`th time that `thread` comes to one place; `what` says it in words."""

    thread: str
    side: Side
    what: str
    number: int

    def __str__(self) -> str:
        """Its name, short enough to be typed."""
        return f"{self.thread}:{self.side}:{zlib.crc32(self.what.encode()):08x}:{self.number}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at a point, which is named; `what` only says it in words."""

    point: str
    how: How
    what: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `point:how`, as a report prints it."""
        point, _, how = text.rpartition(":")
        return cls(point, How(how))

    @property
    def kind(self) -> tuple[str, How]:
        """On which side of what it happens, and how."""
        return self.point.split(":")[1], self.how

    def __str__(self) -> str:
        return f"{self.point}:{self.how}"


def common(runs: Sequence[Sequence[Point]]) -> list[Point]:
    """The points that every one of `runs` passed, thread by thread; a renewal comes on slow machines alone."""
    everywhere = set(runs[0]).intersection(*runs)
    return sorted(
        (p for p in runs[0] if p in everywhere and p.thread != RENEWAL),
        key=lambda point: point.thread,
    )


def faults(points: Sequence[Point]) -> list[Fault]:
    """Everything that can happen at `points`."""
    return [Fault(str(point), how, point.what) for point in points for how in WAYS[point.side]]


def sample(found: Sequence[Fault], count: int, seed: str) -> list[Fault]:
    """`count` of them, always the same: of as many sides and ways as may be, the rest spread over the whole."""
    chance = Random(zlib.crc32(seed.encode()))
    kinds: dict[tuple[str, How], list[Fault]] = {}
    for fault in found:
        kinds.setdefault(fault.kind, []).append(fault)
    first = chance.sample(sorted(kinds), min(count, len(kinds)))
    chosen = {chance.choice(kinds[kind]): None for kind in first}
    rest = [fault for fault in found if fault not in chosen]
    missing = max(0, min(count - len(chosen), len(rest)))
    step = len(rest) / missing if missing else 0
    offset = chance.random()
    chosen.update({rest[int((n + offset) * step) % len(rest)]: None for n in range(missing)})
    return list(chosen)
