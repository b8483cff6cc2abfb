"""Release seats that were held for a day and not paid for."""

from db.bookings.stale import release_tentative
from db.tx import Tx
from db.work import ClaimOrder
from domain.appointments import RELEASE_TENTATIVE, TENTATIVE_FOR
from domain.tally import Count, Tally
from jobs.shapes import Chore, Done, Queue


class ReleaseTentative(Chore):
    """Release seats that were held for a day and not paid for."""

    name = RELEASE_TENTATIVE
    queue = Queue.REST
    scope_keys = frozenset({"seat"})
    sets = 4
    """2,000 seats by default: their rows are locked for some 50 ms."""

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """Release a set of them; those that a payment keeps are looked at again later."""
        done = release_tentative(tx, order, older=TENTATIVE_FOR)
        counts = {
            Count.PROCESSED: done.seats,
            Count.SUCCEEDED: done.seats,
            Count.SKIPPED: done.taken - done.seats,
        }
        return Done(taken=done.taken, tally=Tally(counts))
