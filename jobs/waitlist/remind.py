"""Remind whoever has an offer."""

from db.tx import Tx
from db.waitlist.remind import remind
from db.work import ClaimOrder
from domain.tally import Count, Tally
from domain.waitlist import REMIND
from jobs.shapes import Chore, Done, Queue


class RemindOffered(Chore):
    """Write the one reminder of every offer that ends within twelve hours."""

    name = REMIND
    queue = Queue.REST
    scope_keys = frozenset({"waitlist"})

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """Remind a set of them; an offer that ended meanwhile is skipped."""
        done = remind(tx, order)
        counts = {
            Count.PROCESSED: done.reminded,
            Count.SUCCEEDED: done.reminded,
            Count.SKIPPED: done.taken - done.reminded,
        }
        return Done(taken=done.taken, tally=Tally(counts))
