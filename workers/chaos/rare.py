"""One situation that is rare: how it is seen, and after which faults it is due."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from workers.chaos.evidence import Evidence

Seen = Callable[[Evidence], int]
LONG_SECONDS: Final = 100.0
"""A storm this long meets whatever its faults can bring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rare:
    """One situation. It is due after `strikes` of any of `faults`, or in any long storm with one of them."""

    name: str
    seen: Seen
    faults: Sequence[str] = ()
    strikes: int = 1
    long: bool = False
    """Due in long storms only: a short one may miss it by bad luck."""

    def is_due(self, made: Mapping[str, int], storm_seconds: float) -> bool:
        """Say whether it should have come, given how often each fault was made."""
        times = sum(made.get(fault, 0) for fault in self.faults)
        return times >= self.strikes and not (self.long and storm_seconds < LONG_SECONDS)


def count(name: str) -> Seen:
    """Counted in the database."""
    return lambda e: e.counts[name]


def event(*names: str) -> Seen:
    """Said by a process, by the event of its log."""
    return lambda e: sum(e.heard.events[name] for name in names)


def fact(*names: str) -> Seen:
    """Counted by the bank."""
    return lambda e: sum(e.facts.get(name, 0) for name in names)


def met(*names: str) -> Seen:
    """Met by the people."""
    return lambda e: sum(e.met[name] for name in names)


def ran(process: str) -> Seen:
    """Runs ended by one kind of process."""
    return lambda e: sum(times for (name, _), times in e.heard.ran.items() if name == process)


def ended(code: int, *names: str) -> Seen:
    """Ends of processes with one exit code."""
    return lambda e: sum(
        n for (name, found), n in e.heard.exits.items() if found == code and name in names
    )


BANK: Final = ("bank-faults",)
EVENTS: Final = ("web-events",)
FREEZE: Final = ("worker-freeze",)
KILLS: Final = ("worker-kill",)
NO_DATABASE: Final = (
    *("postgres-kill", "postgres-backend", "postgres-terminate", "network-database-drop"),
    "network-database-half",
)
NO_BROKER: Final = ("redis-kill", "network-broker-drop", "network-broker-half", "redis-clients")
