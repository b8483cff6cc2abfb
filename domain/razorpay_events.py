"""What a Razorpay webhook says of orders, refunds and disputes. Source: Razorpay, "Webhooks: payloads"."""

from datetime import datetime
from typing import Final

from domain.dispute_words import read_dispute
from domain.entities import instant, text, whole
from domain.razorpay_payments import read_refund
from domain.telling import NothingToDo, Telling, ToldOrder, Unreadable, inside

ATTEMPTS: Final = frozenset({"payment.failed", "payment.authorized", "payment.pending"})
"""Events of one try to pay an order: it stays open, and the next try may pay it."""


def read_event(type_: str, document: object) -> Telling:
    """Return what an event of `type_` tells: the entities it carries count, as they were then."""
    at = instant(document, "created_at") if isinstance(document, dict) else None
    if type_ in ATTEMPTS:
        return NothingToDo(why=f"{type_}: one try to pay, and another may")
    if type_ in {"payment.captured", "order.paid"}:
        return _paid(type_, document, at)
    if type_.startswith("payment.dispute."):
        dispute = read_dispute(inside(document, "payload", "dispute", "entity"), "payment_id", at)
        return dispute or Unreadable(why=f"{type_} carries no dispute in a state that is known")
    if type_.startswith("refund."):
        refund = read_refund(inside(document, "payload", "refund", "entity"))
        return refund or Unreadable(why=f"{type_} carries no refund")
    return NothingToDo(why=type_)


def _paid(type_: str, document: object, at: datetime | None) -> Telling:
    payment = inside(document, "payload", "payment", "entity")
    order = inside(document, "payload", "order", "entity")
    if not isinstance(payment, dict) or at is None:
        return Unreadable(why=f"{type_} carries no payment, or no time")
    captured_as, order_id = text(payment, "id"), text(payment, "order_id")
    amount, currency = whole(payment, "amount"), text(payment, "currency")
    if order_id is None:
        return NothingToDo(why=f"{type_}: a payment of no order")
    if not (captured_as and currency) or amount is None:
        return Unreadable(why=f"{type_} carries no whole payment")
    return ToldOrder(
        order_id=order_id,
        reference=text(order, "receipt") if isinstance(order, dict) else None,
        captured_as=captured_as,
        amount_minor=amount,
        currency=currency,
        at=at,
    )
