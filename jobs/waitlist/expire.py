"""End offers that nobody answered."""

from db.tx import Tx
from db.waitlist.expire import expire
from db.work import ClaimOrder
from domain.tally import Count, Tally
from domain.waitlist import EXPIRE
from jobs.shapes import Chore, Done, Queue


class ExpireOffers(Chore):
    """End every offer that was not answered in time; its place goes to whoever is next."""

    name = EXPIRE
    queue = Queue.REST
    scope_keys = frozenset({"waitlist"})

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """End a set of them; one that was taken meanwhile is skipped."""
        done = expire(tx, order)
        counts = {
            Count.PROCESSED: done.expired,
            Count.SUCCEEDED: done.expired,
            Count.SKIPPED: done.taken - done.expired,
        }
        return Done(taken=done.taken, tally=Tally(counts))
