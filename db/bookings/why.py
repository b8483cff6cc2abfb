"""The facts behind `bursar why booking`."""

from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import why_subjects
from db.tx import Row, Tx
from domain.bookings import BOOKINGS
from domain.payments import PAYMENTS, OrderState, PaymentState
from domain.why_bookings import BookingFacts, PaymentFacts, PlaceFacts

SHOWN_MAX: Final = 20
"""Checkouts, and seats, of one booking that are told of, the newest."""

_BOOKING: Final = sa.text("""
    SELECT c.external_id AS customer, l.external_id AS plan, y.name AS consultant, b.note,
           (SELECT m.actor || coalesce(': ' || m.reason, '') FROM moves m
            WHERE m.subject = b.id AND m.kind = 'booking' ORDER BY m.at DESC LIMIT 1) AS ended_by
    FROM bookings b JOIN customers c ON c.id = b.customer JOIN plans l ON l.id = b.plan
    JOIN payees y ON y.id = l.consultant WHERE b.id = :id""")
_PAYMENTS: Final = sa.text("""
    SELECT p.id, p.state, p.amount, p.currency, p.orphaned, p.expires_at, p.paid_at, o.id AS "order", o.state AS order_state,
           o.gateway_id || ' at ' || o.provider AS gateway, p.given_back, r.id AS refund, r.state AS refund_state
    FROM payments p LEFT JOIN orders o ON o.payment = p.id
    LEFT JOIN LATERAL (
      SELECT f.id, f.state FROM refunds f WHERE f.payment = p.id ORDER BY f.created_at DESC, f.id LIMIT 1) r ON true
    WHERE p.booking = :id ORDER BY p.created_at DESC, p.id LIMIT :most""")
_PLACES: Final = sa.text("""
    SELECT s.places, s.state, coalesce(a.external_id, CAST(a.id AS text)) AS appointment, a.state AS appointment_state,
           a.starts_at, a.ends_at
    FROM seats s JOIN appointments a ON a.id = s.appointment WHERE s.booking = :id ORDER BY s.created_at DESC, s.id LIMIT :most""")


def booking(tx: Tx, id_: UUID) -> BookingFacts:
    """The facts about one booking. Raises `NotFoundError`."""
    subject = why_subjects.subject(tx, BOOKINGS, id_)
    row = tx.row(_BOOKING, id=id_)
    assert row is not None, "it was found a moment ago"
    payments = tx.rows(_PAYMENTS, id=id_, most=SHOWN_MAX)
    open_ = next((p.id for p in payments[:1] if p.state == PaymentState.PENDING), None)
    return BookingFacts(
        subject=subject,
        **row._asdict(),
        payments=tuple(map(_payment, payments)),
        checkout=None if open_ is None else why_subjects.subject(tx, PAYMENTS, open_),
        places=tuple(map(_place, tx.rows(_PLACES, id=id_, most=SHOWN_MAX))),
    )


def _payment(row: Row) -> PaymentFacts:
    return PaymentFacts(
        id=str(row.id),
        state=PaymentState(row.state),
        amount=row.amount,
        currency=row.currency,
        orphaned=row.orphaned,
        expires=_told(row.expires_at),
        paid=None if row.paid_at is None else _told(row.paid_at),
        order=None if row.order is None else str(row.order),
        order_state=None if row.order_state is None else OrderState(row.order_state),
        gateway=row.gateway,
        given_back=row.given_back,
        refund=None if row.refund is None else str(row.refund),
        refund_state=row.refund_state,
    )


def _place(row: Row) -> PlaceFacts:
    return PlaceFacts(
        places=row.places,
        state=row.state,
        appointment=row.appointment,
        appointment_state=row.appointment_state,
        starts=_told(row.starts_at),
        ends=_told(row.ends_at),
    )


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
