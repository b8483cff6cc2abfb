"""Begin a checkout: look again whether places and time are free, under lock, and hold them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from db.accounts import Owner, open_accounts
from db.advance import begin
from db.bookings import entries
from db.bookings.capture import capture
from db.bookings.facts import lock, read
from db.bookings.moving import shift
from db.bookings.seating import hold_places, sit
from db.clock import now
from db.errors import constraint_of
from db.transitions import LeasedTx, hold
from db.tx import Row, Tx
from db.wallets.paying import check_membership, wallet_that_pays
from domain.booking_errors import (
    KeyReusedError,
    NotOpenError,
    TooLittleError,
    UnknownError,
)
from domain.bookings import BOOKINGS, BookingState, PlanKind
from domain.checkouts import Receipt, Request, Wanted
from domain.errors import BadInputError
from domain.ledger import AccountKind
from domain.owners import CustomerOwner, owned_by
from domain.payments import CHECKOUT_FOR, ORDERS, PAYMENTS, LegKind, OrderState, PaymentState

_ALONE: Final = sa.text("""
    SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(E'\\x1f', 'checkout', CAST(:scope AS text), CAST(:actor AS text), CAST(:key AS text)), 0))""")
_KNOWN: Final = sa.text("""
    SELECT id, encode(request_hash, 'hex') AS request_hash FROM payments
    WHERE scope = :scope AND actor = :actor AND key = :key""")
_PLAN: Final = sa.text("""
    SELECT l.id, l.kind, l.price, l.currency, l.minutes, l.times, l.consultant, c.number
    FROM plans l JOIN consultants c ON c.payee = l.consultant WHERE l.id = :plan AND l.active""")
"""What is offered."""


def answered(tx: Tx, request: Request, wanted: Wanted) -> Receipt | None:
    """What a request was answered before; None where it is new, and alone until this transaction ends.

    Raises `KeyReusedError` where its key came with another request.
    """
    asked = {"scope": request.scope, "actor": request.actor, "key": request.key}
    tx.rows(_ALONE, **asked)
    known = tx.row(_KNOWN, **asked)
    if known is None:
        return None
    if known.request_hash != wanted.content_hash:
        raise KeyReusedError(f"key {request.key!r} came with another request before")
    return receipt(tx, known.id, replayed=True)


def start_checkout(tx: Tx, request: Request, wanted: Wanted, *, offered: bool = False) -> Receipt:
    """Hold what `wanted` asks for, and make the booking, the payment, its legs and its order.

    `offered`: its place is held for this customer already, by an offer that the caller ends. The same
    request again is answered with the same payment. Raises `KeyReusedError`, `UnknownError`
    (plan, appointment, booking, organisation), `NotOpenError`, `SoldOutError`, `TimeTakenError`, `TooLittleError`,
    `BadInputError`; then nothing is held.
    """
    known = answered(tx, request, wanted)
    if known is not None:
        return known
    plan = tx.row(_PLAN, plan=wanted.plan)
    if plan is None:
        raise UnknownError(f"there is no plan {wanted.plan} that may be booked")
    if wanted.organisation is not None:
        check_membership(tx, wanted.organisation, wanted.customer)
    amounts = _amounts(plan, wanted)
    # What is paid wholly by us is captured below, which changes what waits for the appointment's end too.
    wishes, shared = (() if id_ is None else (id_,) for id_ in (wanted.booking, wanted.appointment))
    leased = hold(tx, wishes, shared, run=None, actor=f"customer:{wanted.customer.id}")
    at = now(tx)
    booking = _booking(leased, plan, wanted)
    is_ours = not amounts[LegKind.GATEWAY]
    if is_ours:
        # Captured below, by whoever holds the consultant: before the appointment, as everybody does.
        lock(leased, "consultant", [plan.consultant])
    appointment = hold_places(leased, plan, wanted, at, offered=offered)
    sit(leased, wanted, booking, appointment, at)
    payment = _pay(leased, request, wanted, _Due(booking, amounts, plan.currency, at))
    _take_legs(leased, payment)
    if is_ours:
        capture(leased, {payment: at}, run=None, actor=leased.actor)
    return receipt(tx, payment, replayed=False)


def _amounts(plan: Row, wanted: Wanted) -> dict[LegKind, int]:
    """What each leg pays."""
    private = PlanKind(plan.kind).is_private
    if private != (wanted.appointment is None):
        raise BadInputError(
            "checkout", plan.kind, "is booked by " + ("times" if private else "appointment")
        )
    if private and wanted.places != 1:
        raise BadInputError("places", wanted.places, f"a {plan.kind} is for one")
    gateway = plan.price * wanted.places - wanted.wallet_minor - wanted.credit_minor
    if gateway < 0:
        raise BadInputError("legs", -gateway, "must not pay more than the price")
    return {
        LegKind.GATEWAY: gateway,
        LegKind.WALLET: wanted.wallet_minor,
        LegKind.REFERRAL_CREDIT: wanted.credit_minor,
    }


_WISH: Final = sa.text("""
    SELECT id, state, plan FROM bookings WHERE id = :booking AND customer = :customer""")
_ANOTHER: Final = sa.text("""
    SELECT state FROM payments WHERE booking = :booking AND (state = 'PENDING' OR state = 'SUCCEEDED' AND NOT orphaned)""")
_BOOK: Final = sa.text("""
    INSERT INTO bookings (id, external_id, customer, plan, state)
    VALUES (:id, CAST(CAST(:id AS uuid) AS text), :customer, :plan, 'APPROVED_PENDING_PAYMENT')""")


def _booking(tx: LeasedTx, plan: Row, wanted: Wanted) -> UUID:
    """The booking that is paid for: a wish of this customer, or a new one."""
    customer, id_ = wanted.customer.id, wanted.booking
    who = tx.row(_CUSTOMER, customer=customer)
    if who is None:
        raise UnknownError(f"there is no customer {customer}")
    if who.payee == plan.consultant:
        raise NotOpenError("a consultant is no participant of their own appointments")
    if id_ is None:
        made = uuid4()
        tx.run(_BOOK, id=made, customer=customer, plan=plan.id)
        return made
    lock(tx, "booking", [id_])
    wish = tx.row(_WISH, booking=id_, customer=customer)
    if wish is None or wish.plan != plan.id:
        raise UnknownError(f"there is no booking {id_} of this plan")
    open_ = {BookingState.PENDING, BookingState.APPROVED, BookingState.APPROVED_PENDING_PAYMENT}
    if wish.state not in open_ or tx.rows(_ANOTHER, booking=id_):
        raise NotOpenError(f"booking {id_} is {wish.state}, or has a checkout already")
    if wish.state != BookingState.APPROVED_PENDING_PAYMENT:
        target = BookingState.APPROVED_PENDING_PAYMENT
        shift(tx, BOOKINGS, {id_: wish.state}, target, reason="a checkout was begun")
    return id_


_CUSTOMER: Final = sa.text("SELECT payee FROM customers WHERE id = :customer")


@dataclass(frozen=True, slots=True)
class _Due:
    """What is to be paid, for which booking."""

    booking: UUID
    legs: dict[LegKind, int]
    currency: str
    at: datetime


_PAYMENT: Final = sa.text("""
    INSERT INTO payments (id, booking, customer, organisation, scope, actor, key, request_hash, amount, currency, expires_at)
    VALUES (:id, :booking, :customer, :organisation, :scope, :actor, :key, decode(:hash, 'hex'), :amount, :currency, :expires_at)""")
_LEGS: Final = sa.text("""
    INSERT INTO payment_legs (payment, kind, amount, account)
    SELECT :payment, kind, amount, account
    FROM unnest(CAST(:kinds AS text[]), CAST(:amounts AS bigint[]), CAST(:accounts AS bigint[])) AS l (kind, amount, account)""")
_ORDER: Final = sa.text("""
    INSERT INTO orders (id, payment, amount, currency) VALUES (:id, :payment, :amount, :currency)""")


def _pay(tx: LeasedTx, request: Request, wanted: Wanted, due: _Due) -> UUID:
    payment, customer = uuid4(), wanted.customer.id
    expires_at = due.at + CHECKOUT_FOR
    tx.run(
        _PAYMENT,
        id=payment,
        booking=due.booking,
        customer=customer,
        organisation=wanted.organisation.id if wanted.organisation else None,
        scope=request.scope,
        actor=request.actor,
        key=request.key,
        hash=wanted.content_hash,
        amount=sum(due.legs.values()),
        currency=due.currency,
        expires_at=expires_at,
    )
    legs = {kind: amount for kind, amount in due.legs.items() if amount}
    accounts = _accounts(tx, wanted, due.currency, legs)
    tx.run(
        _LEGS,
        payment=payment,
        kinds=[kind.value for kind in legs],
        amounts=list(legs.values()),
        accounts=[accounts.get(kind) for kind in legs],
    )
    begin(tx, PAYMENTS, PaymentState.PENDING, {payment: expires_at})
    if gateway := legs.get(LegKind.GATEWAY):
        order = uuid4()
        tx.run(_ORDER, id=order, payment=payment, amount=gateway, currency=due.currency)
        begin(tx, ORDERS, OrderState.NEW, {order: due.at})
    return payment


def _accounts(
    tx: Tx, wanted: Wanted, currency: str, legs: Mapping[LegKind, int]
) -> dict[LegKind, int]:
    """The accounts of the books that the legs are taken from; of a wallet no more than no payout waits for."""
    found = dict[LegKind, int]()
    if amount := legs.get(LegKind.WALLET):
        found[LegKind.WALLET] = wallet_that_pays(tx, wanted, currency, amount)
    if LegKind.REFERRAL_CREDIT in legs:
        owner = str(wanted.customer.id)
        credit = Owner(kind=AccountKind.REFERRAL_CREDIT, owner=owner, currency=currency)
        found[LegKind.REFERRAL_CREDIT] = open_accounts(tx, [credit])[credit]
    return found


def _take_legs(tx: LeasedTx, payment: UUID) -> None:
    try:
        entries.held(tx, read(tx, [payment]), run=None, actor=tx.actor)
    except IntegrityError as error:
        if constraint_of(error) != "never_below_zero":
            raise
        raise TooLittleError(
            "a wallet or a credit holds less than was to be taken from it"
        ) from error


_OWN: Final = sa.text("""
    SELECT FROM payments WHERE id = :payment AND customer = :customer""")


def own_checkout(tx: Tx, owner: CustomerOwner, payment: UUID) -> Receipt:
    """What there is to say of a checkout of `owner`. Raises `UnknownError` for what is missing or somebody else's."""
    if tx.row(_OWN, payment=payment, customer=owned_by(owner)) is None:
        raise UnknownError(f"there is no payment {payment}")
    return receipt(tx, payment, replayed=True)


_RECEIPT: Final = sa.text("""
    SELECT p.id AS payment, p.booking, p.state, p.amount AS amount_minor, p.currency, p.expires_at, o.id AS "order",
           coalesce(o.amount, 0) AS gateway_minor, o.provider AS gateway, o.gateway_id AS gateway_order
    FROM payments p LEFT JOIN orders o ON o.payment = p.id WHERE p.id = :payment""")


def receipt(tx: Tx, payment: UUID, *, replayed: bool) -> Receipt:
    """What there is to say of a checkout now."""
    row = tx.row(_RECEIPT, payment=payment)
    assert row is not None, "its caller found or made it"
    return Receipt(**row._asdict(), replayed=replayed)
