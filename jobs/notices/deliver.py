"""Deliver notices: one signed POST each, in the order of their subject, until the receiver has heard it.

At least once: a POST whose reply is lost is sent again under the same id, by which its receiver tells
repeats. So the effect is safe twice by itself, and needs no row of `effects`.
"""

from collections.abc import Sequence
from typing import Self, assert_never
from uuid import UUID

from db.batch import Batch
from db.notices import deliver
from db.notices.deliver import Sending
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.notices import DELIVER, Delivered, Delivery, Undelivered
from domain.ports import Events
from domain.tally import Tally
from jobs.ports import Ports
from jobs.shapes import Answer, Drain, Queue, StillMine


class DeliverNotices(Drain[Sending, Delivery]):
    """Tell applications what became of payouts."""

    name = DELIVER
    queue = Queue.REST

    def __init__(self, events: Events, *, call_seconds_max: float) -> None:
        self.events = events
        self.call_seconds_max = call_seconds_max

    @classmethod
    def made(cls, ports: Ports) -> Self | None:
        """Needs somebody to tell."""
        if ports.events is None:
            return None
        return cls(ports.events, call_seconds_max=ports.call_seconds_max)

    def claim(self, tx: Tx, order: ClaimOrder) -> Batch[Sending]:
        """Lease up to `order.limit` notices, each the first of its subject that is not done."""
        return deliver.start_delivering(tx, order)

    def effect(self, item: Sending, still_mine: StillMine) -> Delivery:
        """Send the frozen text once."""
        return self.events.deliver(str(item.id), item.body)

    def broke(self, item: Sending, error: Exception) -> Delivery:
        """It may have been heard: it is sent again under the same id."""
        return Undelivered(reason=type(error).__name__)

    def settle(self, tx: LeasedTx, answers: Sequence[Answer[Sending, Delivery]]) -> Tally:
        """2xx ends it; anything else is tried again later, or given up after three days."""
        return deliver.conclude(tx, [(a.item.held, _why(a.result)) for a in answers])

    def evident(self, tx: Tx, answers: Sequence[Answer[Sending, Delivery]]) -> set[UUID]:
        """What was moved under its token was settled."""
        return deliver.ended_under(tx, [a.item.held for a in answers])


def _why(delivery: Delivery) -> str | None:
    match delivery:
        case Delivered():
            return None
        case Undelivered(reason=reason):
            return reason
        case _:
            assert_never(delivery)
