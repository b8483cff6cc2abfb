"""How a run came out: kept, broken, or void; and what a reader needs to find out why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from workers.chaos.plan import Plan
from workers.chaos.rare import Rare
from workers.chaos.storm import Course
from workers.chaos.verdict import Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One rare situation: how often it was seen, and whether it was due."""

    rare: Rare
    times: int
    due: bool

    @property
    def is_missing(self) -> bool:
        """It should have come, and never did."""
        return self.due and self.times == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything a report is made from."""

    plan: Plan
    course: Course
    checks: Sequence[Check]
    sights: Sequence[Sight]
    figures: Mapping[str, object]
    planted: str = ""
    """What a canary put into the bank's book: the reference concerned."""
    histories: Mapping[UUID, Sequence[str]] = field(default_factory=dict)
    was_stopped: bool = False

    @property
    def broken(self) -> list[Check]:
        """Promises that were not kept."""
        return [check for check in self.checks if not check.holds]

    @property
    def missing(self) -> list[Sight]:
        """What makes the run void."""
        return [sight for sight in self.sights if sight.is_missing]

    @property
    def holds(self) -> bool:
        """Whether it was proven: nothing broken, nothing missing, and it ran to its end."""
        return bool(self.checks) and not (self.broken or self.missing or self.was_stopped)
