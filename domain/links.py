"""Every link that Bursar writes into a text, from one builder."""

from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Links to the application that people use, below `base` (no slash at its end).

    An offer is known to the application by its plan: an appointment's id would lead its readers nowhere.
    """

    base: str

    def plan(self, plan: UUID) -> str:
        """Where a plan is shown."""
        return f"{self.base}/plans/{quote(str(plan))}"

    def payout(self, payout: UUID) -> str:
        """Where a payout is shown to its payee."""
        return f"{self.base}/payouts/{quote(str(payout))}"

    def offer(self, plan: UUID, entry: UUID) -> str:
        """Where an offered place of a plan is taken or declined."""
        return f"{self.plan(plan)}/waitlist/{quote(str(entry))}"
