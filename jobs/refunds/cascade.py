"""Bring refunds that were given into the books."""

from db.refunds.cascade import cascade
from db.tx import Tx
from db.work import ClaimOrder
from domain.refunds import CASCADE
from domain.tally import Count, Tally
from jobs.shapes import Chore, Done, Queue


class CascadeRefunds(Chore):
    """Bring refunds that were given into the books, each once, with seats, records and mails."""

    name = CASCADE
    queue = Queue.MONEY
    scope_keys = frozenset({"refund"})

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """Bring a set of them there; those whose earning is being paid wait for the end of that."""
        done = cascade(tx, order)
        counts = {
            Count.PROCESSED: done.done + done.waiting,
            Count.SUCCEEDED: done.done,
            Count.WAITING: done.waiting,
            Count.SKIPPED: done.taken - done.done - done.waiting,
        }
        return Done(taken=done.taken, tally=Tally(counts))
