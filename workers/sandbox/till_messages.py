"""What an event of the till says, as it was when it happened, in the words of its provider."""

import sqlite3
from collections.abc import Mapping

from domain.razorpay import PROVIDER as RAZORPAY
from workers.sandbox import razorpay_words, stripe_words
from workers.sandbox.storage import Storage
from workers.sandbox.till import DISPUTES, ORDERS, REFUNDS

Told = Mapping[str, object]


def is_razorpays(storage: Storage, due: sqlite3.Row) -> bool:
    """Say whose words an event is told in."""
    return bool(_order(storage, due)["provider"] == RAZORPAY)


def reference(storage: Storage, due: sqlite3.Row) -> str | None:
    """Return the reference of the order that an event is about."""
    found: str | None = _order(storage, due)["reference"]
    return found


def told(storage: Storage, due: sqlite3.Row) -> tuple[Told, Told]:
    """Return what an event says, and what a forger makes of it: the same of a thing of his own."""
    order = _order(storage, due)
    said = _razorpays if order["provider"] == RAZORPAY else _stripes
    mine, his = said(storage, due, order), said(storage, due, order, forged=True)
    return mine, his


def _razorpays(
    storage: Storage, due: sqlite3.Row, order: sqlite3.Row, *, forged: bool = False
) -> Told:
    name, at = due["event"], due["at_ms"] // 1000
    if due["refund"] is not None:
        entities = {"refund": razorpay_words.refund(_refund(storage, due))}
    elif due["dispute"] is not None:
        entities = {"dispute": razorpay_words.dispute(_dispute(storage, due))}
    elif name == "payment.failed":
        entities = {"payment": razorpay_words.refused(order, due["number"])}
    else:
        entities = {"payment": razorpay_words.payment(order)}
        if name == "order.paid":
            entities["order"] = razorpay_words.order(order)
    if forged:
        entities = {kind: _forged(entity) for kind, entity in entities.items()}
    return razorpay_words.event(name, at, **entities)


def _stripes(
    storage: Storage, due: sqlite3.Row, order: sqlite3.Row, *, forged: bool = False
) -> Told:
    if due["refund"] is not None:
        entity = stripe_words.refund(_refund(storage, due))
    elif due["dispute"] is not None:
        entity = stripe_words.dispute(_dispute(storage, due))
    else:
        entity = stripe_words.intent(order, due["at_ms"])
    return stripe_words.event(due, due["event"], _forged(entity) if forged else entity)


def _forged(entity: Mapping[str, object]) -> dict[str, object]:
    return {**entity, "id": f"{entity['id']}forged"}


def _order(storage: Storage, due: sqlite3.Row) -> sqlite3.Row:
    return storage.one(f"{ORDERS} WHERE number = :number", number=due["order"])


def _refund(storage: Storage, due: sqlite3.Row) -> sqlite3.Row:
    return storage.one(
        f"{REFUNDS} WHERE r.number = :number", number=due["refund"], now=due["at_ms"]
    )


def _dispute(storage: Storage, due: sqlite3.Row) -> sqlite3.Row:
    return storage.one(
        f"{DISPUTES} WHERE d.number = :number", number=due["dispute"], now=due["at_ms"]
    )
