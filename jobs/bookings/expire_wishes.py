"""End wishes that nobody decided on, or paid for, in time."""

from db.bookings.expire_wishes import expire_wishes
from db.tx import Tx
from db.work import ClaimOrder
from domain.bookings import EXPIRE_WISHES
from domain.tally import Count, Tally
from jobs.shapes import Chore, Done, Queue


class ExpireWishes(Chore):
    """End wishes that nobody decided on within a week, or began a checkout of within a week of their approval."""

    name = EXPIRE_WISHES
    queue = Queue.REST
    scope_keys = frozenset({"booking"})

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """End a set of them; what has time left is skipped."""
        done = expire_wishes(tx, order)
        counts = {
            Count.PROCESSED: done.ended,
            Count.SUCCEEDED: done.ended,
            Count.SKIPPED: done.taken - done.ended,
        }
        return Done(taken=done.taken, tally=Tally(counts))
