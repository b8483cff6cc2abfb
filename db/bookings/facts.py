"""What belongs to a checkout, locked in order: its booking, payment, order, appointments and seats.

Lock order: work rows (of payments, of orders, of seats, of appointments), bookings, payments, orders, consultants,
appointments, seats, accounts, totals, each in key order. Whoever changes a checkout holds all of it, so what is read
here is how it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import holds
from db.transitions import LeasedTx, hold
from db.tx import Row, Tx
from domain.appointments import SeatState
from domain.bookings import PlanKind
from domain.payments import LegKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A seat of a booking, with where its appointment is."""

    id: UUID
    appointment: UUID
    places: int
    state: str
    appointment_state: str
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """What pays a part of a payment (minor units); `account` of the books where it is ours."""

    kind: LegKind
    amount: int
    account: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A payment with all that is changed together with it."""

    payment: UUID
    state: str
    amount: int
    currency: str
    booking: UUID
    booking_state: str
    is_paid_for: bool
    """Whether another payment pays for the booking."""
    is_replaced: bool
    """Whether the booking has another checkout under way, or one that was refused after this one was begun."""
    orphaned: bool
    """Whether it was captured for nothing."""
    taken_over: bool
    """Whether another system captured it, in whose books it came in."""
    customer: UUID
    consultant: UUID
    kind: PlanKind
    order: UUID | None
    order_state: str | None
    expires_at: datetime
    seats: tuple[Seat, ...]
    legs: tuple[Leg, ...]

    @property
    def held(self) -> list[Seat]:
        """Its seats as they are: those that were released, by a checkout before this one too, are nobody's."""
        return [seat for seat in self.seats if seat.state != SeatState.RELEASED]

    @property
    def ours(self) -> list[Leg]:
        """The legs that our books hold."""
        return [leg for leg in self.legs if leg.kind is not LegKind.GATEWAY]


_SUBJECTS: Final = sa.text("""
    SELECT p.id AS payment, p.booking, o.id AS "order", s.id AS seat, s.appointment, l.consultant
    FROM payments p JOIN bookings b ON b.id = p.booking JOIN plans l ON l.id = b.plan
    LEFT JOIN orders o ON o.payment = p.id
    LEFT JOIN seats s ON s.booking = p.booking
    WHERE p.id = ANY(CAST(:payments AS uuid[]))""")
_WHERE: Final = "= ANY(CAST(:ids AS uuid[])) ORDER BY 1 FOR UPDATE"
_LOCKS: Final = {
    "booking": sa.text(f"SELECT id FROM bookings WHERE id {_WHERE}"),
    "payment": sa.text(f"SELECT id FROM payments WHERE id {_WHERE}"),
    "order": sa.text(f"SELECT id FROM orders WHERE id {_WHERE}"),
    "consultant": sa.text(f"SELECT payee FROM consultants WHERE payee {_WHERE}"),
    "appointment": sa.text(f"SELECT id FROM appointments WHERE id {_WHERE}"),
    "seat": sa.text(f"SELECT id FROM seats WHERE id {_WHERE}"),
}
"""In the order in which rows are locked."""


_WAITING: Final = ("payment", "order", "seat", "appointment")
"""What has work rows, in the order in which they are locked: of a checkout's the payment's first, of what many share the last."""


def brace(tx: Tx, payments: Sequence[UUID]) -> None:
    """Lock the work rows of payments, for who is about to regain their orders and to `grip` them then."""
    if payments:
        holds.hold(tx, set(payments))


def lock(tx: Tx, what: str, ids: Sequence[UUID]) -> None:
    """Lock rows of one table (`booking`, `payment`, `order`, `consultant`, `appointment`, `seat`) in key order."""
    if ids:
        tx.rows(_LOCKS[what], ids=sorted(set(ids)))


def grip(
    tx: LeasedTx | Tx, payments: Sequence[UUID], *, run: int | None, actor: str
) -> tuple[LeasedTx, list[Checkout]]:
    """Hold the checkouts of `payments` to the end of this transaction, and read them; in the order of their ids."""
    found = tx.rows(_SUBJECTS, payments=list(payments))
    waiting = [{id_ for row in found if (id_ := getattr(row, what))} for what in _WAITING]
    leased = hold(tx, *waiting, run=run, actor=actor)
    for what in _LOCKS:
        lock(leased, what, [id_ for row in found if (id_ := getattr(row, what))])
    return leased, read(leased, payments)


_READ: Final = sa.text("""
    SELECT p.id AS payment, p.state, p.orphaned, p.taken_over, p.amount, p.currency, p.expires_at, p.booking, b.state AS booking_state, b.customer,
           EXISTS (SELECT FROM payments o WHERE o.booking = p.booking AND o.id <> p.id
                     AND o.state = 'SUCCEEDED' AND NOT o.orphaned) AS is_paid_for,
           EXISTS (SELECT FROM payments o WHERE o.booking = p.booking AND o.id <> p.id
                     AND (o.state = 'PENDING' OR o.state = 'FAILED' AND o.created_at > p.created_at)) AS is_replaced,
           l.consultant, l.kind, o.id AS "order", o.state AS order_state
    FROM payments p JOIN bookings b ON b.id = p.booking JOIN plans l ON l.id = b.plan
    LEFT JOIN orders o ON o.payment = p.id
    WHERE p.id = ANY(CAST(:payments AS uuid[])) ORDER BY p.id""")
_SEATS: Final = sa.text("""
    SELECT s.booking, s.id, s.appointment, s.places, s.state, a.state AS appointment_state, a.ends_at
    FROM seats s JOIN appointments a ON a.id = s.appointment
    WHERE s.booking = ANY(CAST(:bookings AS uuid[])) ORDER BY s.booking, s.id""")
_LEGS: Final = sa.text("""
    SELECT payment, kind, amount, account FROM payment_legs
    WHERE payment = ANY(CAST(:payments AS uuid[])) ORDER BY payment, kind""")


def read(tx: Tx, payments: Sequence[UUID]) -> list[Checkout]:
    """The checkouts of `payments` as they are, in the order of their ids."""
    rows = tx.rows(_READ, payments=list(payments))
    seats = _by("booking", tx.rows(_SEATS, bookings=[row.booking for row in rows]))
    legs = _by("payment", tx.rows(_LEGS, payments=[row.payment for row in rows]))
    return [_checkout(row, seats.get(row.booking, []), legs.get(row.payment, [])) for row in rows]


def _by(name: str, rows: Sequence[Row]) -> dict[UUID, list[Row]]:
    return {key: list(group) for key, group in groupby(rows, key=attrgetter(name))}


def _checkout(row: Row, seats: Sequence[Row], legs: Sequence[Row]) -> Checkout:
    facts = row._asdict() | {"kind": PlanKind(row.kind)}
    return Checkout(
        **facts,
        seats=tuple(
            Seat(**{name: value for name, value in seat._asdict().items() if name != "booking"})
            for seat in seats
        ),
        legs=tuple(
            Leg(kind=LegKind(leg.kind), amount=leg.amount, account=leg.account) for leg in legs
        ),
    )
