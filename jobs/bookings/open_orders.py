"""Make orders at the gateway: claim a set, ask for each once, write down what customers pay by."""

from collections.abc import Sequence
from typing import Self
from uuid import UUID

from db import effects
from db.batch import Batch
from db.bookings import facts
from db.orders import opening
from db.orders.opening import Opened, Opening
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.answers import LookUpFailed, Rejected, Unknown
from domain.checkout_answers import Listed
from domain.effects import as_evidence
from domain.payments import OPEN_ORDERS
from domain.ports import Payments
from domain.tally import Tally
from jobs import outside
from jobs.bookings import gateway
from jobs.ports import Ports
from jobs.shapes import Answer, Drain, Queue, StillMine


class OpenOrders(Drain[Opening, Opened]):
    """Have the gateway make every order that is due, each once: its customer may pay then."""

    name = OPEN_ORDERS
    queue = Queue.MONEY
    scope_keys = frozenset({"order"})

    def __init__(
        self, payments: Payments, *, call_seconds_max: float, recover_seconds: tuple[float, ...]
    ) -> None:
        self.payments = payments
        self.gateway = gateway.of(payments)
        self.gates = (outside.brake(payments),)
        self.limit = outside.limit(payments)
        self.call_seconds_max = call_seconds_max
        self.recover_seconds = recover_seconds

    @classmethod
    def made(cls, ports: Ports) -> Self | None:
        """Needs a payment gateway."""
        if ports.payments is None:
            return None
        seconds, delays = ports.call_seconds_max, ports.recover_seconds
        return cls(ports.payments, call_seconds_max=seconds, recover_seconds=delays)

    def claim(self, tx: Tx, order: ClaimOrder) -> Batch[Opening]:
        """Commit to asking for up to `order.limit` orders."""
        return opening.start_opening(tx, self.gateway, order)

    def effect(self, item: Opening, still_mine: StillMine) -> Opened:
        """Look for what may be there; ask for what is not. The answer is read as evidence about the order."""
        look_up = self.payments.find_orders(item.reference) if item.looks_first else None
        if isinstance(look_up, LookUpFailed) or (look_up is not None and look_up.things):
            return Opened(look_up=look_up)
        if item.effect is None or (look_up is not None and not still_mine()):
            return Opened(look_up=look_up)
        sent = self.payments.create_order(item.request(item.effect))
        return Opened(look_up=look_up, sent=as_evidence(sent, item.effect.sends))

    def broke(self, item: Opening, error: Exception) -> Opened:
        """An exception after a send may have begun is an unknown outcome."""
        return Opened(sent=Unknown(reason=type(error).__name__))

    def brace(self, tx: Tx, answers: Sequence[Answer[Opening, Opened]]) -> None:
        """What is refused ends its payment."""
        refused = [a.item.payment for a in answers if isinstance(a.result.sent, Rejected)]
        facts.brace(tx, refused)

    def settle(self, tx: LeasedTx, answers: Sequence[Answer[Opening, Opened]]) -> Tally:
        """Made is OPEN, refused ends its checkout, not sent and unknown come again."""
        told = [(a.item, a.result) for a in answers]
        tally = opening.conclude(tx, self.gateway.name, told, self.recover_seconds)
        heard = [heard for a in answers for heard in (a.result.look_up, a.result.sent)]
        outside.react(tx, self.payments, heard)
        return tally

    def release(self, tx: LeasedTx, items: Sequence[Opening]) -> None:
        """Take back the intent: the send never began."""
        effects.unsend(tx, [item.effect.key for item in items if item.effect is not None])

    def keep_evidence(self, tx: Tx, answers: Sequence[Answer[Opening, Opened]], run: int) -> None:
        """The gateway's word is kept even when it may move nothing."""
        kept = [(a.item.key, *_in_words(a.result)) for a in answers]
        effects.keep_evidence(tx, kept, run=run)

    def evident(self, tx: Tx, answers: Sequence[Answer[Opening, Opened]]) -> set[UUID]:
        """Answers written under their token were settled."""
        return effects.settled_under(tx, {a.item.key: a.item.held for a in answers})


def _in_words(opened: Opened) -> tuple[str, str | None]:
    match opened:
        case Opened(look_up=LookUpFailed(reason=reason)):
            return "look_up_failed", reason
        case Opened(look_up=Listed(things=things)) if things:
            return "found", ", ".join(one.provider_id for one in things)
    return ("not_found", None) if opened.sent is None else outside.in_words(opened.sent)
