"""What the demo shows while it runs: one look at the database and at the bank's own counters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from db import progress as families
from db.engine import Database
from db.payouts import progress
from domain.bookings import BOOKINGS
from domain.dispersals import DISPERSALS
from domain.errors import UnreachableError
from domain.machines import Machine
from domain.mails import MAILS
from domain.obligations import OBLIGATIONS
from domain.payouts import PAYOUTS, RECOVER
from domain.refunds import REFUNDS
from domain.waitlist import WAITLIST
from workers.demo.verdict import FINAL
from workers.practice import Counted, count
from workers.servers import SandboxPlan

SHOWN: Final[tuple[Machine, ...]] = (
    *(PAYOUTS, BOOKINGS, WAITLIST, REFUNDS, MAILS),
    *(OBLIGATIONS, DISPERSALS),
)
"""The families at work, as they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One moment. `families` are states by table, `waiting` is by job: (all, due, in hand, parked)."""

    families: Mapping[str, Mapping[str, int]]
    waiting: Mapping[str, tuple[int, int, int, int]]
    transfers: int
    sends: int
    """Requests the bank took for a payment; more than transfers, because replies were lost."""
    captures: int
    """What customers paid there."""
    refunds: int

    @property
    def states(self) -> Mapping[str, int]:
        """Payouts by state."""
        return self.families[PAYOUTS.table]

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
        seen = families.states(tx, SHOWN)
        waiting = {
            row.job: (row.items, row.due, row.in_hand, row.parked) for row in progress.waiting(tx)
        }
    try:
        counted = count(bank)
    except UnreachableError:
        counted = Counted()
    return Look(
        families=seen,
        waiting=waiting,
        transfers=counted.transfers,
        sends=counted.sends,
        captures=counted.captures,
        refunds=counted.refunds,
    )
