"""What a run of any shape comes to, and the state it ends in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from domain.runs import RunState
from domain.tally import Count, Tally

Wake = Callable[[], None]
"""Makes one more wake run of the same job, best effort."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The tally of a run and why it ended."""

    tally: Tally = field(default_factory=Tally)
    stopped: bool = False
    held_back: str | None = None
    """The brake, switch or rate limit that kept it from claiming."""
    skipped: str | None = None
    """Why it did not run at all."""
    reasons: list[str] = field(default_factory=list)
    unfinished: bool = False
    """A sweep whose time was over before its last page: the same run goes on from its cursor."""
    claimed: frozenset[UUID] = frozenset()
    """The subjects acted on, where the run's scope names subjects."""

    @property
    def is_silent(self) -> bool:
        """Whether it did nothing and does not say why."""
        told = self.skipped or self.stopped or self.reasons or self.held_back
        return not told and self.tally[Count.PROCESSED] == 0

    def state(self, waiting: int) -> tuple[RunState, str | None]:
        """The state to end in, and the reason; `waiting` counts rows that were due before its start."""
        if self.skipped is not None:
            return RunState.SKIPPED, self.skipped
        if self.stopped:
            return RunState.STOPPED, "asked to stop"
        if self.reasons:
            return RunState.FAILED, "; ".join(self.reasons)[:1000]
        if waiting > 0 and self.is_silent:
            return RunState.FAILED, f"processed nothing while {waiting} items waited"
        return RunState.SUCCEEDED, self.held_back
