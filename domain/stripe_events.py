"""What a Stripe webhook says. Source: Stripe, "Types of events", "The event object" and its objects."""

from datetime import datetime
from typing import Final

from domain.checkout_answers import OrderStatus
from domain.dispute_words import read_dispute
from domain.entities import instant, whole
from domain.stripe_payments import read_order, read_refund
from domain.stripe_transfers import read_transfer
from domain.telling import NothingToDo, Telling, ToldOrder, Unreadable, inside

ENDS: Final = {
    "payment_intent.succeeded": OrderStatus.PAID,
    "payment_intent.canceled": OrderStatus.CLOSED,
}
"""Events that end a PaymentIntent. Any other is of one try to pay it, and the next may."""
REFUNDS: Final = frozenset(
    {"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"}
)


def read_event(type_: str, document: object) -> Telling:
    """Return what an event of `type_` tells. It carries its object as it was then: that counts, not the type.

    An event with an `account` is about what a connected account did, which pays nobody of ours.
    """
    entity = inside(document, "data", "object")
    at = instant(document, "created") if isinstance(document, dict) else None
    if inside(document, "account") is not None:
        return NothingToDo(why=type_)
    if type_.startswith("transfer."):
        return read_transfer(entity) or Unreadable(why=f"{type_} carries no transfer")
    if type_ in ENDS:
        return _ended(type_, entity, at)
    if type_.startswith("payment_intent."):
        return NothingToDo(why=f"{type_}: one try to pay, and another may")
    is_of_charge = type_ in REFUNDS or type_.startswith("charge.dispute.")
    if is_of_charge and inside(entity, "payment_intent") is None:
        return NothingToDo(why=f"{type_}: of no PaymentIntent")
    if type_ in REFUNDS:
        return read_refund(entity) or Unreadable(why=f"{type_} carries no refund")
    if is_of_charge:
        dispute = read_dispute(entity, "payment_intent", at)
        return dispute or Unreadable(why=f"{type_} carries no dispute in a state that is known")
    return NothingToDo(why=type_)


def _ended(type_: str, entity: object, at: datetime | None) -> Telling:
    order = read_order(entity)
    if order is None or at is None or not isinstance(entity, dict):
        return Unreadable(why=f"{type_} carries no PaymentIntent, or no time")
    if order.status is not ENDS[type_]:
        return Unreadable(why=f"{type_} carries one that is {order.raw_status}")
    is_paid = order.status is OrderStatus.PAID
    received = whole(entity, "amount_received") if is_paid else order.amount_minor
    if received is None:
        return Unreadable(why=f"{type_} does not say what was received")
    return ToldOrder(
        order_id=order.provider_id,
        reference=order.reference,
        captured_as=order.provider_id if is_paid else None,
        amount_minor=received,
        currency=order.currency,
        at=at,
    )
