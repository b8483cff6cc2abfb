"""Divide what settled obligations received among their lenders."""

from typing import ClassVar

from db.dispersals.settled import disperse
from db.tx import Tx
from db.work import ClaimOrder
from domain.obligations import CREATE
from domain.tally import Count, Tally
from jobs.shapes import Chore, Done, Queue


class CreateDispersals(Chore):
    """Divide what settled obligations received: the servicing fee first, then the lenders."""

    name: ClassVar[str] = CREATE
    queue: ClassVar[Queue] = Queue.MONEY
    scope_keys: ClassVar[frozenset[str]] = frozenset({"obligation"})

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """Divide a set of them; what cannot be divided is STALLED, for healing and a person to see."""
        done = disperse(tx, order)
        counts = {
            Count.PROCESSED: done.divided + done.stalled,
            Count.SUCCEEDED: done.divided,
            Count.FAILED: done.stalled,
            Count.SKIPPED: done.taken - done.divided - done.stalled,
        }
        return Done(taken=done.taken, tally=Tally(counts))
