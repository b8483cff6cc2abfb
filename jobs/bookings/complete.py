"""End appointments that have taken place."""

from db.bookings.complete import complete
from db.tx import Tx
from db.work import ClaimOrder
from domain.appointments import COMPLETE
from domain.tally import Count, Tally
from jobs.shapes import Chore, Done, Queue


class CompleteBookings(Chore):
    """End appointments that have taken place, and complete what was booked of them."""

    name = COMPLETE
    queue = Queue.REST
    scope_keys = frozenset({"appointment"})

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """End a set of them; those that were moved to a later time wait for it."""
        done = complete(tx, order)
        counts = {
            Count.PROCESSED: done.over,
            Count.SUCCEEDED: done.over,
            Count.SKIPPED: done.taken - done.over,
        }
        return Done(taken=done.taken, tally=Tally(counts))
