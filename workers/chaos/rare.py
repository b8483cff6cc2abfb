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
