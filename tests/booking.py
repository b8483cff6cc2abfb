"""Who offers what, and who asks for it: consultants, plans, appointments and customers for a test."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa

from db.engine import Database
from db.tx import Tx

NOON = datetime(2031, 3, 5, 12, tzinfo=UTC)
"""When appointments of tests begin, unless they say otherwise: in the future of every test."""
HOUR = timedelta(hours=1)
PRICE = 10_000

_CONSULTANT = sa.text("""
    WITH account AS (
      INSERT INTO accounts (kind, owner, currency, normal, stripes, bounded)
      VALUES ('payee_payable', CAST(:id AS text), 'INR', 'C', 1, true) RETURNING id),
    balance AS (INSERT INTO balances (account, stripe, floor) SELECT id, 0, 'C' FROM account),
    payee AS (INSERT INTO payees (id, name, payable) SELECT :id, :name, id FROM account)
    SELECT FROM account""")
_OFFERS = sa.text("INSERT INTO consultants (payee) VALUES (:id) RETURNING number")
_PLAN = sa.text("""
    INSERT INTO plans (id, external_id, consultant, kind, title, price, currency, minutes, times)
    VALUES (:id, CAST(:id AS text), :consultant, :kind, :kind, :price, 'INR', 60, :times)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consultant:
    """A payee who offers plans: its id, and its number in slots."""

    id: UUID
    number: int


def consultant(database: Database) -> Consultant:
    """A consultant with nothing planned."""
    id_ = uuid4()
    with database.begin() as tx:
        tx.run(_CONSULTANT, id=id_, name=f"consultant {id_}")
        return Consultant(id=id_, number=tx.scalar(_OFFERS, id=id_))


def plan(
    database: Database,
    kind: str = "webinar",
    *,
    of: Consultant | None = None,
    price: int = PRICE,
    times: int = 1,
) -> UUID:
    """A plan of a consultant, of a new one unless told whose."""
    id_, whose = uuid4(), of or consultant(database)
    with database.begin() as tx:
        tx.run(_PLAN, id=id_, consultant=whose.id, kind=kind, price=price, times=times)
    return id_


def customer(database: Database, name: str = "Mira") -> UUID:
    """A customer."""
    id_ = uuid4()
    with database.begin() as tx:
        tx.run(
            sa.text(
                "INSERT INTO customers (id, external_id, name) VALUES (:id, :name || :id, :name)"
            ),
            id=id_,
            name=name,
        )
    return id_


_PUBLISH = sa.text("""
    WITH made AS (
      INSERT INTO appointments (id, external_id, plan, capacity, starts_at, ends_at)
      VALUES (:id, CAST(:id AS text), :plan, :capacity, :starts, :ends) RETURNING id, plan, starts_at, ends_at),
    work AS (INSERT INTO work (job, subject, due_at) SELECT 'bookings.complete', id, ends_at FROM made)
    SELECT id FROM made""")


def appointment(
    database: Database, plan: UUID, *, capacity: int = 1, starts: Sequence[datetime] = (NOON,)
) -> UUID:
    """A published appointment of a shared plan, with a slot of an hour at each of `starts`."""
    id_ = uuid4()
    with database.begin() as tx:
        tx.rows(
            _PUBLISH,
            id=id_,
            plan=plan,
            capacity=capacity,
            starts=min(starts),
            ends=max(starts) + HOUR,
        )
        for at in starts:
            slot(tx, id_, at)
    return id_


_SLOT = sa.text("""
    INSERT INTO slots (id, appointment, consultant, starts_at, ends_at, confirmed)
    SELECT gen_random_uuid(), a.id, c.number, :starts, :ends, :confirmed
    FROM appointments a JOIN plans l ON l.id = a.plan JOIN consultants c ON c.payee = l.consultant
    WHERE a.id = :appointment""")


def slot(
    tx: Tx, appointment: UUID, starts: datetime, *, last: timedelta = HOUR, confirmed: bool = True
) -> None:
    """One more time of an appointment."""
    assert tx.run(
        _SLOT, appointment=appointment, starts=starts, ends=starts + last, confirmed=confirmed
    )
