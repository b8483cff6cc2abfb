"""Divide again what could not be divided; after the fourth failure its money goes where a person sees it."""

from collections.abc import Sequence
from typing import ClassVar, Self
from uuid import UUID

from db.dispersals.heal import give_up, heal
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.backoff import HEAL_SECONDS
from domain.obligations import HEAL
from domain.tally import Count, Tally
from jobs.ports import Ports
from jobs.shapes import Chore, Done, Queue


class HealDispersals(Chore):
    """Divide again what could not be divided; the fourth failure sets its money apart, for a person to see."""

    name: ClassVar[str] = HEAL
    queue: ClassVar[Queue] = Queue.MONEY
    scope_keys: ClassVar[frozenset[str]] = frozenset({"obligation"})

    def __init__(self, heal_seconds: Sequence[float] = HEAL_SECONDS) -> None:
        self.heal_seconds = heal_seconds

    @classmethod
    def made(cls, ports: Ports) -> Self:
        """Needs nothing of the outside."""
        return cls(ports.heal_seconds)

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """Try a set of them again; `parked` counts those that wait for a person now."""
        done = heal(tx, order, self.heal_seconds)
        concluded = done.divided + done.failed + done.escalated
        counts = {
            Count.PROCESSED: concluded,
            Count.SUCCEEDED: done.divided,
            Count.FAILED: done.failed,
            Count.PARKED: done.escalated,
            Count.SKIPPED: done.taken - concluded,
        }
        return Done(taken=done.taken, tally=Tally(counts))

    def give_up(self, tx: LeasedTx, subject: UUID, reason: str) -> bool:
        """What broke again and again is one failure more, counted like any other: nothing of it is parked."""
        return give_up(tx, subject, reason, self.heal_seconds)
