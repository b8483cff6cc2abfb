"""Appointments and customers by what people call them: an id, or an external id."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx
from domain.booking_errors import UnknownError

_APPOINTMENT: Final = sa.text("""
    SELECT a.id, l.consultant FROM appointments a JOIN plans l ON l.id = a.plan
    WHERE a.external_id = :name OR a.id = CAST(:id AS uuid) ORDER BY a.external_id = :name DESC LIMIT 1""")
_CUSTOMER: Final = sa.text("""
    SELECT id FROM customers
    WHERE external_id = :name OR id = CAST(:id AS uuid) ORDER BY external_id = :name DESC LIMIT 1""")


def appointment_named(tx: Tx, name: str) -> tuple[UUID, UUID]:
    """The appointment and its consultant. Raises `UnknownError`."""
    row = tx.row(_APPOINTMENT, name=name, id=_id(name))
    if row is None:
        raise UnknownError(f"there is no appointment {name}")
    return row.id, row.consultant


def customer_named(tx: Tx, name: str) -> UUID:
    """The customer. Raises `UnknownError`."""
    found: UUID | None = tx.scalar(_CUSTOMER, name=name, id=_id(name))
    if found is None:
        raise UnknownError(f"there is no customer {name}")
    return found


def _id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
