"""What another system calls a customer, a consultant, a plan, an appointment, a booking or an organisation, and its id here."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx
from domain.booking_errors import UnknownError
from domain.ids import uuid_of
from domain.money import parse_major


class Named(StrEnum):
    """What has a name elsewhere."""

    CUSTOMER = "customer"
    CONSULTANT = "consultant"
    PLAN = "plan"
    APPOINTMENT = "appointment"
    BOOKING = "booking"
    ORGANISATION = "organisation"


_BY_NAME: Final = {
    Named.CONSULTANT: sa.text(
        "SELECT c.payee AS id FROM consultants c JOIN payees p ON p.id = c.payee WHERE p.name = :name"
    ),
    Named.CUSTOMER: sa.text("SELECT id FROM customers WHERE external_id = :name"),
    Named.PLAN: sa.text("SELECT id FROM plans WHERE external_id = :name"),
    Named.APPOINTMENT: sa.text("SELECT id FROM appointments WHERE external_id = :name"),
    Named.BOOKING: sa.text("SELECT id FROM bookings WHERE external_id = :name"),
    Named.ORGANISATION: sa.text(
        "SELECT id FROM payees WHERE name = :name AND kind = 'organisation'"
    ),
}
_BY_ID: Final = {
    Named.CONSULTANT: sa.text("SELECT payee AS id FROM consultants WHERE payee = :id"),
    Named.CUSTOMER: sa.text("SELECT id FROM customers WHERE id = :id"),
    Named.PLAN: sa.text("SELECT id FROM plans WHERE id = :id"),
    Named.APPOINTMENT: sa.text("SELECT id FROM appointments WHERE id = :id"),
    Named.BOOKING: sa.text("SELECT id FROM bookings WHERE id = :id"),
    Named.ORGANISATION: sa.text("SELECT id FROM payees WHERE id = :id AND kind = 'organisation'"),
}


def id_of(tx: Tx, kind: Named, name: str) -> UUID:
    """The id of what another system calls `name`, or whose id that is. Raises `UnknownError`."""
    found: UUID | None = tx.scalar(_BY_NAME[kind], name=name)
    if found is None and (id_ := uuid_of(name)) is not None:
        found = tx.scalar(_BY_ID[kind], id=id_)
    if found is None:
        raise UnknownError(f"there is no {kind} {name}")
    return found


_BOOKINGS: Final = sa.text("""
    SELECT g.name, coalesce(n.id, i.id) AS id
    FROM unnest(CAST(:names AS text[]), CAST(:ids AS uuid[])) AS g (name, given)
    LEFT JOIN bookings n ON n.external_id = g.name COLLATE "C"
    LEFT JOIN bookings i ON i.id = g.given""")


def bookings_of(tx: Tx, names: Sequence[str]) -> list[UUID]:
    """The ids of bookings by what another system calls each, or by its id. Raises `UnknownError`."""
    found = tx.rows(_BOOKINGS, names=list(names), ids=[uuid_of(name) for name in names])
    for row in found:
        if row.id is None:
            raise UnknownError(f"there is no booking {row.name}")
    return [row.id for row in found]


_CURRENCY: Final = sa.text("SELECT currency FROM plans WHERE id = :plan")


def minor_of(tx: Tx, plan: UUID, text: str | None, place: str) -> int:
    """Decimal text in the major units of a plan's currency as minor units; 0 for none. Raises `BadInputError`."""
    return 0 if text is None else parse_major(text, tx.scalar(_CURRENCY, plan=plan), place)
