"""The bounds a run works within, and how they must fit together."""

from dataclasses import dataclass

from domain.errors import BadInputError

RELEASE_SECONDS = 2.0
"""What must be left of a lease, after the longest call, to settle in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Times in seconds; counts in items."""

    lease_seconds: float = 15.0
    call_seconds_max: float = 8.0
    """The gateway's total time-out."""
    batch_max: int = 500
    concurrency: int = 16
    budget_seconds: float = 30.0
    """How long a run claims; due work makes the next run."""
    linger_seconds: float = 0.01
    """How long an answer waits for company before it is settled."""

    @property
    def renew_seconds(self) -> float:
        """How often leases are renewed."""
        return self.lease_seconds / 3

    def check(self) -> None:
        """Raise `BadInputError` when a call could outlive its lease."""
        room = self.lease_seconds - self.renew_seconds - RELEASE_SECONDS
        if self.call_seconds_max > room:
            raise BadInputError(
                "BURSAR_GATEWAY_TIMEOUT_SECONDS",
                self.call_seconds_max,
                f"must be at most {room:g}: BURSAR_LEASE_SECONDS less a renewal and {RELEASE_SECONDS:g} s",
            )
