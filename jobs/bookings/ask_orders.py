"""Ask the gateway what became of orders whose time is over, or about which somebody asks."""

from collections.abc import Sequence
from typing import Self

from db.batch import Batch
from db.bookings import facts
from db.orders import asking
from db.orders.asking import Asking, Told
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.answers import LookUpFailed
from domain.payments import ASK_ORDERS
from domain.ports import Payments
from domain.tally import Tally
from jobs import outside
from jobs.bookings import gateway
from jobs.ports import Ports
from jobs.shapes import Answer, Drain, Queue, StillMine


class AskOrders(Drain[Asking, Told]):
    """Ask the gateway about every order whose checkout is at its end: what was paid keeps its seat, event or none."""

    name = ASK_ORDERS
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

    def claim(self, tx: Tx, order: ClaimOrder) -> Batch[Asking]:
        """Lease up to `order.limit` orders to be asked about."""
        return asking.start_asking(tx, self.gateway, order)

    def effect(self, item: Asking, still_mine: StillMine) -> Told:
        """Read it, as the gateway has it."""
        return self.payments.fetch_order(item.gateway_id)

    def broke(self, item: Asking, error: Exception) -> Told:
        """An exception says nothing about the order."""
        return LookUpFailed(reason=type(error).__name__)

    def brace(self, tx: Tx, answers: Sequence[Answer[Asking, Told]]) -> None:
        """Their payments may be captured or ended."""
        facts.brace(tx, [a.item.payment for a in answers])

    def settle(self, tx: LeasedTx, answers: Sequence[Answer[Asking, Told]]) -> Tally:
        """Paid is captured, unpaid ends at its time, all else is asked about again."""
        tally = asking.conclude(tx, self.gateway.name, [(a.item, a.result) for a in answers])
        outside.react(tx, self.payments, [a.result for a in answers])
        return tally
