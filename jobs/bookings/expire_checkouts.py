"""End checkouts that were not paid in time."""

from db.bookings.expire import expire_checkouts
from db.tx import Tx
from db.work import ClaimOrder
from domain.payments import EXPIRE_CHECKOUTS
from domain.tally import Count, Tally
from jobs.shapes import Chore, Done, Queue


class ExpireCheckouts(Chore):
    """End checkouts that were not paid in time: legs given back, seats freed, their orders to be forgotten."""

    name = EXPIRE_CHECKOUTS
    queue = Queue.REST
    scope_keys = frozenset({"payment"})

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """End a set of them; what was paid meanwhile is skipped."""
        done = expire_checkouts(tx, order)
        counts = {
            Count.PROCESSED: done.ended,
            Count.SUCCEEDED: done.ended,
            Count.SKIPPED: done.taken - done.ended,
        }
        return Done(taken=done.taken, tally=Tally(counts))
