"""Bookings, and what hangs on them, as the audit and the listings know them."""

from typing import Final

from db import aggregates
from db.bookings import promises
from db.family import Family
from domain import appointments, bookings, payments

BOOKINGS: Final = Family(
    machine=bookings.BOOKINGS,
    promises=(
        *aggregates.promises(bookings.BOOKINGS),
        promises.SEATS_FOLLOW_THEIR_BOOKING,
        promises.WAITS_FOR_A_CHECKOUT,
    ),
    columns=("external_id", "state", "customer", "plan", "created_at", "updated_at", "id"),
    details=("note",),
    named_by="external_id",
)
PAYMENTS: Final = Family(
    machine=payments.PAYMENTS,
    promises=(
        *aggregates.promises(payments.PAYMENTS),
        promises.LEGS_ADD_UP,
        promises.MONEY_FOLLOWS_THE_STATE,
        promises.EARNED_ONCE,
        promises.LEGS_ARE_OF_THEIR_OWNER,
    ),
    columns=(
        "booking",
        "state",
        "amount AS amount_minor",
        "currency",
        "orphaned",
        "expires_at",
        "created_at",
        "id",
    ),
    details=(
        "customer",
        "organisation",
        "taken_over",
        "scope",
        "actor",
        "key",
        "paid_at",
        "updated_at",
    ),
)
ORDERS: Final = Family(
    machine=payments.ORDERS,
    promises=(*aggregates.promises(payments.ORDERS), promises.ORDERS_FOLLOW_THEIR_PAYMENT),
    columns=(
        "payment",
        "state",
        "amount AS amount_minor",
        "currency",
        "gateway_id",
        "created_at",
        "id",
    ),
    details=("provider", "captured_as", "updated_at"),
)
APPOINTMENTS: Final = Family(
    machine=appointments.APPOINTMENTS,
    promises=(
        *aggregates.promises(appointments.APPOINTMENTS),
        promises.TAKEN_IS_WHAT_IS_HELD,
        promises.SLOTS_FIT_THEIR_APPOINTMENT,
    ),
    columns=("plan", "state", "capacity", "taken", "starts_at", "ends_at", "created_at", "id"),
    details=("external_id", "updated_at"),
)
SEATS: Final = Family(
    machine=appointments.SEATS,
    promises=(
        *aggregates.promises(appointments.SEATS),
        promises.SEATS_ARE_OF_THEIR_PLAN,
        promises.HELD_SEATS_ARE_KEPT,
    ),
    columns=("appointment", "booking", "customer", "places", "state", "created_at", "id"),
    details=("updated_at",),
)
