"""Orders at a payment gateway, and the events by which it tells what became of them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from db.engine import Database
from db.tx import Row
from domain.checkout_answers import ProviderOrder, ProviderRefund
from domain.checkouts import Receipt
from domain.inbox import APPLY, VerifiedEvent
from domain.payments import OPEN_ORDERS
from tests.booking import NOON, appointment, begin, customer, fill, plan
from tests.builders import rows
from tests.hearing import came_of, raw, receive
from tests.kit.world import Scene

AT: Final = datetime(2031, 3, 4, 12, tzinfo=UTC)
"""When gateways captured."""


def begun(world: Scene, *, kind: str = "webinar", wallet: int = 0) -> tuple[UUID, Receipt]:
    """A customer whose checkout is under way, a wallet paying a part of it."""
    who, offer = customer(world.operator), plan(world.operator, kind)
    if wallet:
        fill(world.operator, who, wallet)
    what = (
        {"starts": (NOON,)}
        if kind == "consultation"
        else {"at": appointment(world.operator, offer)}
    )
    return who, begin(world.database, of=who, plan=offer, wallet_minor=wallet, **what)


def opened(world: Scene, **asked: object) -> tuple[Receipt, ProviderOrder]:
    """A checkout that may be paid, with its order as the gateway has it."""
    _, made = begun(world, **asked)  # type: ignore[arg-type]  # by name
    world.run(OPEN_ORDERS)
    [theirs] = world.fakes.payments.of(made.order)
    return made, theirs


def order(database: Database, id_: UUID | None) -> Row:
    """An order with its work row, and what is known of its two effects."""
    [row] = rows(
        database,
        """SELECT o.*, w.job AS waits_for, w.tries, w.parked_reason, w.last_error,
                  extract(epoch FROM NULLIF(w.due_at, 'infinity') - clock_timestamp()) AS wait,
                  m.state AS made, m.sends, m.provider_id AS made_as, c.state AS cancel, c.provider_id AS cancelled_as
           FROM orders o LEFT JOIN work w ON w.subject = o.id
           LEFT JOIN effects m ON m.key = effect_key('order.open', o.id, 1)
           LEFT JOIN effects c ON c.key = effect_key('order.close', o.id, 1) WHERE o.id = :id""",
        id=id_,
    )
    return row


def _razorpays(kind: str, entity: str, **entities: Mapping[str, object]) -> VerifiedEvent:
    document = {
        "entity": "event",
        "event": kind,
        "payload": {name: {"entity": one} for name, one in entities.items()},
        "created_at": int(AT.timestamp()),
    }
    return raw(json.dumps(document).encode(), kind, provider="razorpay", entity=entity)


def _stripes(kind: str, entity: Mapping[str, object]) -> VerifiedEvent:
    document = {"type": kind, "created": int(AT.timestamp()), "data": {"object": entity}}
    name = str(entity["id"])
    return raw(json.dumps(document).encode(), kind, provider="stripe", entity=name)


def capture_of(theirs: ProviderOrder) -> str:
    """What the gateway calls the capture of an order, once it is paid."""
    return theirs.provider_id.replace("order_", "pay_")


def captured(theirs: ProviderOrder, **changed: object) -> VerifiedEvent:
    """`payment.captured`, or `payment_intent.succeeded`; `changed` are fields of the entity that differ."""
    if theirs.provider_id.startswith("pi_"):
        return _stripes("payment_intent.succeeded", _intent(theirs, "succeeded") | changed)
    name = capture_of(theirs)
    return _razorpays("payment.captured", name, payment=_payment(theirs, "captured") | changed)


def order_paid(theirs: ProviderOrder) -> VerifiedEvent:
    """`order.paid`, which says our reference too."""
    entity = {"id": theirs.provider_id, "receipt": theirs.reference, "status": "paid"}
    payment = _payment(theirs, "captured")
    return _razorpays("order.paid", capture_of(theirs), payment=payment, order=entity)


def refused(theirs: ProviderOrder) -> VerifiedEvent:
    """One try to pay that was refused: `payment.failed`, or `payment_intent.payment_failed`."""
    if theirs.provider_id.startswith("pi_"):
        entity = _intent(theirs, "requires_payment_method")
        return _stripes("payment_intent.payment_failed", entity)
    payment = _payment(theirs, "failed") | {"id": "pay_refused"}
    return _razorpays("payment.failed", "pay_refused", payment=payment)


def cancelled(theirs: ProviderOrder) -> VerifiedEvent:
    """`payment_intent.canceled`."""
    return _stripes("payment_intent.canceled", _intent(theirs, "canceled"))


def disputed(theirs: ProviderOrder, word: str, amount: int | None = None) -> VerifiedEvent:
    """A dispute about an order's capture: `created`, `under_review`, `won`, `lost` or `closed`."""
    status = {"created": "open"}.get(word, word)
    entity: dict[str, object] = {
        "id": f"disp_{theirs.provider_id}",
        "amount": theirs.amount_minor if amount is None else amount,
        "status": status,
    }
    if theirs.provider_id.startswith("pi_"):
        entity |= {
            "object": "dispute",
            "currency": theirs.currency.lower(),
            "payment_intent": theirs.provider_id,
            "status": {"open": "needs_response", "closed": "warning_closed"}.get(status, status),
        }
        kind = "charge.dispute.created" if word == "created" else "charge.dispute.closed"
        return _stripes(kind, entity)
    entity |= {"currency": theirs.currency, "payment_id": capture_of(theirs)}
    return _razorpays(f"payment.dispute.{word}", str(entity["id"]), dispute=entity)


def refunded(theirs: ProviderRefund, word: str = "processed") -> VerifiedEvent:
    """A refund is `processed` or `failed`: `refund.…`, or `refund.updated`, `refund.failed` of Stripe."""
    entity: dict[str, object] = {
        "id": theirs.provider_id,
        "amount": theirs.amount_minor,
        "currency": theirs.currency,
        "payment_id": theirs.payment_id,
        "status": word,
        "notes": {"reference": theirs.reference} if theirs.reference else [],
        "created_at": int(theirs.created_at.timestamp()),
    }
    if theirs.payment_id.startswith("pi_"):
        status = {"processed": "succeeded"}.get(word, word)
        entity |= {
            "object": "refund",
            "currency": theirs.currency.lower(),
            "payment_intent": theirs.payment_id,
            "status": status,
            "metadata": {"reference": theirs.reference} if theirs.reference else {},
            "created": int(theirs.created_at.timestamp()),
        }
        return _stripes("refund.failed" if word == "failed" else "refund.updated", entity)
    return _razorpays(f"refund.{word}", theirs.provider_id, refund=entity)


def _payment(theirs: ProviderOrder, status: str) -> dict[str, object]:
    return {
        "id": capture_of(theirs),
        "entity": "payment",
        "amount": theirs.amount_minor,
        "currency": theirs.currency,
        "status": status,
        "order_id": theirs.provider_id,
        "created_at": int(AT.timestamp()),
    }


def _intent(theirs: ProviderOrder, status: str) -> dict[str, object]:
    return {
        "id": theirs.provider_id,
        "object": "payment_intent",
        "amount": theirs.amount_minor,
        "amount_received": theirs.amount_minor if status == "succeeded" else 0,
        "currency": theirs.currency.lower(),
        "status": status,
        "metadata": {"reference": theirs.reference},
        "created": int(theirs.created_at.timestamp()),
    }


def heard(world: Scene, *events: VerifiedEvent) -> list[tuple[str, str]]:
    """The gateway sends these, and the job hears them; what came of each: its state, and in words."""
    ids = receive(world.owner, events)
    world.run(APPLY)
    return [(row.state, row.outcome) for row in (came_of(world.owner, id_) for id_ in ids)]


def findings(database: Database) -> list[str]:
    """The kinds of what a person must look at."""
    statement = "SELECT kind FROM findings WHERE resolved_at IS NULL ORDER BY kind"
    return [row.kind for row in rows(database, statement)]
