"""Payouts as their bank left them, and what it then tells of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest

from db.tx import Row
from domain.answers import ProviderPayout
from domain.inbox import APPLY, VerifiedEvent
from domain.payouts import FOLLOW, PROCESS
from tests.builders import rows, seed
from tests.earned import two_earnings
from tests.hearing import about, event, receive
from tests.kit.world import Scene

FREEING = ("failed", "rejected", "cancelled", "reversed")
"""Words after which its money may be paid again: the provider is asked whether it is so."""
ENDS = ("processed", *FREEING)
"""Words that end a payment, each before those that may come after it."""


@dataclass(frozen=True)
class Line:
    """A bank on the line: payouts it has accepted, and its events."""

    world: Scene

    def accepted(self, count: int = 1, *, first: int = 0) -> list[UUID]:
        """Payouts that the bank has, in the order of their names."""
        seed(self.world.url, count, first=first)
        self.world.run(PROCESS)
        names = [f"P-{n}" for n in range(first, first + count)]
        made = rows(
            self.world.owner,
            "SELECT id FROM payouts WHERE external_id = ANY(CAST(:names AS text[])) ORDER BY created_at, id",
            names=names,
        )
        assert len(made) == count
        return [row.id for row in made]

    def earned(self) -> UUID:
        """A payout of two earnings that the bank has."""
        id_ = two_earnings(self.world.operator, "P-earned")
        self.world.run(PROCESS)
        return id_

    def told(self, payout: UUID) -> ProviderPayout:
        """What the bank has of a payout."""
        return about(self.world.bank, payout)

    def says(self, payout: UUID, *words: str) -> list[UUID]:
        """The bank comes to the last of these words, and sends an event for each; the ids of their rows."""
        ends = [word for word in ENDS if word in words]
        if ends:
            self.world.bank.settle(str(payout), ends[-1], utr=None)
        return self.sends([event(self.told(payout), word) for word in words])

    def sends(self, events: Iterable[VerifiedEvent]) -> list[UUID]:
        """The bank sends these; the ids of their rows."""
        return receive(self.world.owner, events)

    def hears(self, payout: UUID, *words: str) -> list[UUID]:
        """The bank says it and the job runs, word by word, and is asked where it must be; the ids of the events."""
        ids = []
        for word in words:
            ids += self.says(payout, word)
            self.world.run(APPLY)
            if word in FREEING:
                self.world.run(FOLLOW)
        return ids

    def findings(self) -> list[str]:
        """The kinds of what a person must look at."""
        found = rows(
            self.world.owner, "SELECT kind FROM findings WHERE resolved_at IS NULL ORDER BY kind"
        )
        return [row.kind for row in found]

    def entries(self, payout: UUID) -> list[str]:
        """The types of a payout's entries, as a reader of the books sees them."""
        return [row.type for row in self.booked(payout)]

    def booked(self, payout: UUID) -> Sequence[Row]:
        """A payout's entries, each with the accounts it touches."""
        return rows(
            self.world.owner,
            """SELECT e.type, d.kind AS debited, c.kind AS credited, p.amount FROM entries e
               JOIN postings p ON p.entry = e.id JOIN accounts d ON d.id = p.debit JOIN accounts c ON c.id = p.credit
               WHERE e.key LIKE :key ORDER BY e.type""",
            key=f"payout:{payout}:%",
        )


@pytest.fixture
def line(world: Scene) -> Line:
    """The bank of this test's world, on the line."""
    return Line(world)
