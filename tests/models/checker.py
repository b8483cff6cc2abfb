"""Breadth first over everything that can happen: the first broken promise, by the shortest way to it, or none."""

import time
from array import array
from dataclasses import dataclass
from itertools import compress, pairwise
from typing import Final

from tests.models import laws
from tests.models.protocol import steps
from tests.models.states import State, World, orbit

STATES_MAX: Final = 6_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was looked at, and what was found; `trace` is the shortest way there, a step a line."""

    states: int
    unfolded: int
    """The same, with workers told apart."""
    transitions: int
    cpu_seconds: float
    found: str | None
    trace: tuple[str, ...] = ()
    happened: frozenset[str] = frozenset()
    """Every kind of step that was taken somewhere."""

    def __str__(self) -> str:
        size = f"{self.states:,} states ({self.unfolded:,} with workers told apart)"
        told = f"{size}, {self.transitions:,} steps, {self.cpu_seconds:.1f} s of CPU"
        return "\n".join([f"{told}: {self.found or 'every promise kept'}", *self.trace])


class Search:
    """One search of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.places: dict[State, int] = {world.start: 0}
        self.states: list[State] = [world.start]
        self.came_from = array("i", [-1])
        self.happened = set[str]()
        self.sources, self.targets, self.by_people = array("i"), array("i"), bytearray()

    def run(self) -> Report:
        """Look at every state there is, nearest first."""
        began = time.process_time()
        found, at = self._first_broken()
        if found is None:
            found, at = self._stuck()
        return Report(
            states=len(self.states),
            unfolded=sum(map(orbit, self.states)),
            transitions=len(self.targets),
            cpu_seconds=time.process_time() - began,
            found=found,
            trace=() if found is None else tuple(self._way_to(at)),
            happened=frozenset(self.happened),
        )

    def _first_broken(self) -> tuple[str | None, int]:
        at = 0
        while at < len(self.states):
            before = self.states[at]
            for label, after, by_people in steps(before, self.world):
                self.happened.add(label)
                place = self.places.get(after)
                if place is None:
                    place = self._add(after, at)
                    found = laws.broken(after)
                    if found:
                        return found, place
                self.sources.append(at)
                self.targets.append(place)
                self.by_people.append(by_people)
                found = laws.wrong(before, after)
                if found:
                    if self.came_from[place] != at:
                        self.states.append(after)
                        self.came_from.append(at)
                        place = len(self.states) - 1
                    return found, place
            at += 1
        return None, -1

    def _add(self, state: State, came_from: int) -> int:
        place = len(self.states)
        assert place < STATES_MAX, "more states than this world was thought to have"
        self.places[state] = place
        self.states.append(state)
        self.came_from.append(came_from)
        return place

    def _stuck(self) -> tuple[str | None, int]:
        """A state from which no end can be reached any more, or that waits for people unknown to them."""
        for promise, goal, people in (
            ("STUCK: no end can be reached", laws.is_end, True),
            ("STUCK: it neither ends by itself nor is parked", laws.needs_nobody, False),
        ):
            ends = [i for i, s in enumerate(self.states) if goal(s)]
            assert ends, "a world without an end"
            stuck = self._reaching(ends, people=people).find(0)
            if stuck >= 0:
                return promise, stuck
        return None, -1

    def _reaching(self, ends: list[int], *, people: bool) -> bytearray:
        """Which states can reach one of `ends`, going backwards along every step, or those without people."""
        kept = [people or not by_people for by_people in self.by_people]
        sources = array("i", compress(self.sources, kept))
        targets = array("i", compress(self.targets, kept))
        firsts, froms = _backwards(sources, targets, len(self.states))
        reaching, waiting = bytearray(len(self.states)), ends
        for end in ends:
            reaching[end] = 1
        while waiting:
            at = waiting.pop()
            for source in froms[firsts[at] : firsts[at + 1]]:
                if not reaching[source]:
                    reaching[source] = 1
                    waiting.append(source)
        return reaching

    def _way_to(self, place: int) -> list[str]:
        way = [place]
        while self.came_from[way[-1]] >= 0:
            way.append(self.came_from[way[-1]])
        way.reverse()
        told = []
        for number, (before, after) in enumerate(pairwise(way), start=1):
            label = next(
                name
                for name, led_to, _ in steps(self.states[before], self.world)
                if led_to == self.states[after]
            )
            told.append(f"{number:3}. {label}: {_seen(self.states[after])}")
        return told


def _backwards(
    sources: "array[int]", targets: "array[int]", states: int
) -> tuple["array[int]", "array[int]"]:
    """The steps by their target: where each target's begin, and the sources in that order."""
    firsts = array("i", bytes(4 * (states + 1)))
    for target in targets:
        firsts[target + 1] += 1
    for i in range(states):
        firsts[i + 1] += firsts[i]
    free = firsts[:]
    froms = array("i", bytes(4 * len(sources)))
    for source, target in zip(sources, targets, strict=True):
        froms[free[target]] = source
        free[target] += 1
    return firsts, froms


def _seen(s: State) -> str:
    """A state as a line of a trace."""
    row = f"{s.job or 'no work'}{' parked' * s.parked}, lease {s.lease}"
    bank = ", ".join(f"{p.times} x {p.says}" for p in s.bank if p.times) or "nothing paid"
    workers = ", ".join(
        f"{w.at}{' ' + w.seen if w.seen else ''}{'' if w.holds else ' (fenced)'}"
        for w in s.workers
        if w.at != "idle"
    )
    effect = f"effect {s.effect or 'none'} (sends {s.sends})"
    return f"{s.state} {effect}; {row}; bank: {bank}; workers: {workers or 'idle'}"


def explore(world: World) -> Report:
    """Search `world` to its end, or to the first promise it breaks."""
    return Search(world).run()
