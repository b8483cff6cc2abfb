"""Divide what settled obligations received among their lenders."""

from collections.abc import Sequence
from typing import ClassVar, Self
from uuid import UUID

from db.dispersals.settled import disperse, give_up
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.backoff import HEAL_SECONDS, delay
from domain.obligations import CREATE
from domain.tally import Count, Tally
from jobs.ports import Ports
from jobs.shapes import Chore, Done, Queue


class CreateDispersals(Chore):
    """Divide what settled obligations received: the servicing fee first, then the lenders."""

    name: ClassVar[str] = CREATE
    queue: ClassVar[Queue] = Queue.MONEY
    scope_keys: ClassVar[frozenset[str]] = frozenset({"obligation"})

    def __init__(self, heal_seconds: Sequence[float] = HEAL_SECONDS) -> None:
        self.heal_after = delay(heal_seconds, 0)

    @classmethod
    def made(cls, ports: Ports) -> Self:
        """Needs nothing of the outside."""
        return cls(ports.heal_seconds)

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """Divide a set of them; what cannot be divided is STALLED, for healing and a person to see."""
        done = disperse(tx, order, self.heal_after)
        counts = {
            Count.PROCESSED: done.divided + done.stalled,
            Count.SUCCEEDED: done.divided,
            Count.FAILED: done.stalled,
            Count.SKIPPED: done.taken - done.divided - done.stalled,
        }
        return Done(taken=done.taken, tally=Tally(counts))

    def give_up(self, tx: LeasedTx, subject: UUID, reason: str) -> bool:
        """What broke a rule again and again is STALLED like what cannot be divided: healing counts how often."""
        return give_up(tx, subject, reason, self.heal_after)
