"""What the demo shows while it runs: one look at the database and at the bank's own counters."""

from collections.abc import Mapping
from dataclasses import dataclass

from db.engine import Database
from db.payouts import progress
from domain.errors import UnreachableError
from domain.payouts import RECOVER, PayoutState
from workers.demo.verdict import FINAL
from workers.practice import Counted, count
from workers.servers import SandboxPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One moment. `waiting` is by job: (all, due, in hand, parked)."""

    states: Mapping[str, int]
    waiting: Mapping[str, tuple[int, int, int, int]]
    transfers: int
    sends: int
    """Requests the bank took for a payment; more than transfers, because replies were lost."""

    @property
    def done(self) -> int:
        """Payouts in a final state."""
        return sum(count for state, count in self.states.items() if state in FINAL)

    @property
    def unknown(self) -> int:
        """Payouts of which nobody knows yet whether they were made."""
        return self.waiting.get(RECOVER, (0, 0, 0, 0))[0]

    @property
    def drained(self) -> bool:
        """Whether nothing is open any more; what waits to see late reversals does not count."""
        total = sum(self.states.values())
        return total > 0 and self.done == total


def look(database: Database, bank: SandboxPlan) -> Look:
    """Return how things stand. A bank that is not there yet has counted nothing."""
    with database.begin() as tx:
        states = {row.state: row.items for row in progress.by_state(tx)}
        waiting = {
            row.job: (row.items, row.due, row.in_hand, row.parked) for row in progress.waiting(tx)
        }
    try:
        counted = count(bank)
    except UnreachableError:
        counted = Counted()
    return Look(
        states={
            state.value: states.get(state.value, 0)
            for state in PayoutState
            if states.get(state.value)
        },
        waiting=waiting,
        transfers=counted.transfers,
        sends=counted.sends,
    )
