"""Pay lenders their shares, once their hold is over."""

from typing import ClassVar, Self

from db.dispersals.disburse import disburse
from db.tx import Tx
from db.work import ClaimOrder
from domain.batching import BatchPolicy
from domain.dispersals import DISBURSE
from domain.tally import Count, Tally
from jobs.ports import Ports
from jobs.shapes import Chore, Done, Queue


class DisburseDispersals(Chore):
    """Make payouts of lenders' shares whose hold is over, and approve those below the limit."""

    name: ClassVar[str] = DISBURSE
    queue: ClassVar[Queue] = Queue.MONEY
    scope_keys: ClassVar[frozenset[str]] = frozenset({"dispersal"})

    def __init__(self, policy: BatchPolicy) -> None:
        self.policy = policy

    @classmethod
    def made(cls, ports: Ports) -> Self:
        """Needs nothing of the outside: what it makes, `payouts.process` sends."""
        return cls(ports.batch)

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """Make payouts of a set of them; what cannot be paid yet waits, and is reported."""
        done = disburse(tx, order, approve_below_minor=self.policy.auto_approve_below_minor)
        counts = {
            Count.PROCESSED: done.made + done.unpayable,
            Count.SUCCEEDED: done.made,
            Count.FAILED: done.unpayable,
            Count.SKIPPED: done.taken - done.made - done.unpayable,
        }
        return Done(taken=done.taken, tally=Tally(counts))
