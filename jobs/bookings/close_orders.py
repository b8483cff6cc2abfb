"""Have the gateway forget orders whose checkout ended unpaid; what was paid all the same is taken in."""

from collections.abc import Sequence
from typing import Self
from uuid import UUID

from db import effects
from db.batch import Batch
from db.bookings import facts
from db.orders import closing
from db.orders.closing import Closed, Closing
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.answers import LookUpFailed
from domain.checkout_answers import OrderStatus, ProviderOrder, Taken
from domain.effects import as_evidence
from domain.payments import CLOSE_ORDERS
from domain.ports import Payments
from domain.tally import Tally
from jobs import outside
from jobs.bookings import gateway
from jobs.ports import Ports
from jobs.shapes import Answer, Drain, Queue, StillMine


class CloseOrders(Drain[Closing, Closed]):
    """Have the gateway forget every order whose checkout ended unpaid; one that was paid is taken in."""

    name = CLOSE_ORDERS
    queue = Queue.REST
    scope_keys = frozenset({"order"})

    def __init__(self, payments: Payments, *, call_seconds_max: float) -> None:
        self.payments = payments
        self.gateway = gateway.of(payments)
        self.gates = (outside.brake(payments),)
        self.limit = outside.limit(payments)
        self.call_seconds_max = call_seconds_max

    @classmethod
    def made(cls, ports: Ports) -> Self | None:
        """Needs a payment gateway."""
        if ports.payments is None:
            return None
        return cls(ports.payments, call_seconds_max=ports.call_seconds_max)

    def claim(self, tx: Tx, order: ClaimOrder) -> Batch[Closing]:
        """Commit to cancelling up to `order.limit` orders; those that the gateway never had are over."""
        return closing.start_closing(tx, self.gateway, order)

    def effect(self, item: Closing, still_mine: StillMine) -> Closed:
        """Find it, where its name is not known; cancel it; and ask where it is, unless the cancel said so."""
        name = item.gateway_id
        if name is None:
            found = self.payments.find_orders(item.reference)
            if isinstance(found, LookUpFailed) or not found.things:
                return Closed(told=None if not isinstance(found, LookUpFailed) else found)
            [first, *_] = sorted(found.things, key=lambda one: (one.created_at, one.provider_id))
            if item.effect is None or not still_mine():
                return Closed(told=first)
            name = first.provider_id
        cancel = None
        if item.effect is not None:
            cancel = as_evidence(self.payments.cancel_order(name), item.effect.sends)
            if isinstance(cancel, Taken):
                return Closed(cancel=cancel)
            if not still_mine():
                return Closed(cancel=cancel, told=LookUpFailed(reason="no time was left to ask"))
        return Closed(cancel=cancel, told=self.payments.fetch_order(name))

    def broke(self, item: Closing, error: Exception) -> Closed:
        """An exception says nothing about the order."""
        return Closed(told=LookUpFailed(reason=type(error).__name__))

    def brace(self, tx: Tx, answers: Sequence[Answer[Closing, Closed]]) -> None:
        """What was paid all the same is captured."""
        facts.brace(tx, [a.item.payment for a in answers if _is_paid(a.result)])

    def settle(self, tx: LeasedTx, answers: Sequence[Answer[Closing, Closed]]) -> Tally:
        """Forgotten is CLOSED, paid is captured, all else is asked about again."""
        tally = closing.conclude(tx, self.gateway, [(a.item, a.result) for a in answers])
        heard = [heard for a in answers for heard in (a.result.cancel, a.result.told)]
        outside.react(tx, self.payments, heard)
        return tally

    def release(self, tx: LeasedTx, items: Sequence[Closing]) -> None:
        """Take back the intent: the cancel never began."""
        effects.unsend(tx, [item.effect.key for item in items if item.effect is not None])

    def keep_evidence(self, tx: Tx, answers: Sequence[Answer[Closing, Closed]], run: int) -> None:
        """The gateway's word is kept even when it may move nothing."""
        effects.keep_evidence(tx, [(a.item.key, *_in_words(a.result)) for a in answers], run=run)

    def evident(self, tx: Tx, answers: Sequence[Answer[Closing, Closed]]) -> set[UUID]:
        """Answers written under their token were settled."""
        return effects.settled_under(tx, {a.item.key: a.item.held for a in answers})


def _is_paid(closed: Closed) -> bool:
    return isinstance(closed.told, ProviderOrder) and closed.told.status is OrderStatus.PAID


def _in_words(closed: Closed) -> tuple[str, str | None]:
    if isinstance(closed.cancel, Taken):
        return outside.in_words(closed.cancel)
    match closed.told:
        case LookUpFailed(reason=reason):
            return "look_up_failed", reason
        case None:
            return "not_found", None
        case order:
            return "found", f"{order.provider_id} {order.raw_status}"
