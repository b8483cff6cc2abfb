"""What the supervisor runs, and the limits it runs it under."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

STOP_SECONDS: Final = 25.0
"""SIGTERM to exit of a worker that settles what is under way."""
STOP_MARGIN_SECONDS: Final = 5.0
FIRST_RESTART_SECONDS: Final = 0.25
LAST_RESTART_SECONDS: Final = 30.0
HEALTHY_SECONDS: Final = 30.0
FIRST_BEAT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One kind of child; `copies` of it run, named `name` or `name.1`, `name.2` and so on."""

    name: str
    arguments: tuple[str, ...]
    """The command; the first is a path or is looked up in PATH."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What is added to our own environment."""
    copies: int = 1
    stop_order: int = 0
    """Children of a lower order are stopped, and waited for, before those of a higher one."""
    beat_seconds_max: float | None = None
    """Longest silence of a child's `Beat`; several times a lease, or a slow renewal looks like
    death. None: the child does not beat."""
    first_beat_seconds_max: float = FIRST_BEAT_SECONDS
    """Longest start; also the wait for the first beat."""
    stop_seconds: float = STOP_SECONDS + STOP_MARGIN_SECONDS
    """From SIGTERM to SIGKILL."""
    failures_max: int | None = None
    """Failures in a row after which the supervisor gives up and stops everything; None: never."""
    healthy_seconds: float = HEALTHY_SECONDS
    """A child that lived this long did not fail by starting: the back-off begins anew."""

    def names(self) -> list[str]:
        """Return the name of each copy."""
        if self.copies == 1:
            return [self.name]
        return [f"{self.name}.{number}" for number in range(1, self.copies + 1)]


def restart_seconds(failures: int) -> float:
    """Return the wait before the next start after `failures` in a row (1 or more)."""
    return float(min(FIRST_RESTART_SECONDS * 2.0 ** min(failures - 1, 20), LAST_RESTART_SECONDS))
