"""Offer places that were freed."""

from typing import Self

from db.tx import Tx
from db.waitlist.offer import offer
from db.work import ClaimOrder
from domain.tally import Count, Tally
from domain.waitlist import OFFER, OfferPolicy
from jobs.ports import Ports
from jobs.shapes import Chore, Done, Queue


class OfferPlaces(Chore):
    """Hold every place that was freed for whoever is next in line, and tell them."""

    name = OFFER
    queue = Queue.REST
    scope_keys = frozenset({"appointment"})

    def __init__(self, policy: OfferPolicy) -> None:
        self.policy = policy

    @classmethod
    def made(cls, ports: Ports) -> Self:
        """Needs nothing of the outside."""
        return cls(ports.offers)

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """Offer what is free at a set of appointments; counts offers, not appointments."""
        done = offer(tx, order, self.policy)
        counts = {
            Count.PROCESSED: done.offers,
            Count.SUCCEEDED: done.offers,
            Count.SKIPPED: done.skipped,
        }
        return Done(taken=done.taken, tally=Tally(counts))
