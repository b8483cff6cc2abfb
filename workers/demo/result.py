"""How a demo ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.demo.verdict import Promise


@dataclass(slots=True, kw_only=True)
class Result:
    """How it ended."""

    states: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Count and sum (minor units) by state."""
    promises: list[Promise] = field(default_factory=list)
    transfers: int = 0
    sends: int = 0
    captures: int = 0
    refunds: int = 0
    """What customers paid at the gateway, and what it gave back."""
    participants: int = 0
    """Who takes part in the webinar."""
    mails: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    """What the bank did to its replies, by name, as it counted itself."""
    sent_again: int = 0
    """Payments the bank was asked for more than once, under the same key."""
    crashed_runs: int = 0
    killed: str | None = None
    seconds: float = 0.0
    drained: bool = False
    stopped: bool = False
    operators: Mapping[str, str] = field(default_factory=dict)
    """Tokens by name: two people, for what needs two."""
    gave_up: bool = False
    """A process could not be kept running."""

    @property
    def holds(self) -> bool:
        """Whether everything that was promised holds."""
        return self.drained and bool(self.promises) and all(p.holds for p in self.promises)
