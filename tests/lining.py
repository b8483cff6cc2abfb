"""Appointments that are full, and lines of customers who wait for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from db.bookings.participants import remove_participant
from db.engine import Database
from db.waitlist.line import accept, decline, join, leave
from db.waitlist.offer import offer
from db.work import ClaimOrder
from domain.checkouts import SCOPE, Receipt, Request
from domain.owners import ConsultantOwner, CustomerOwner
from domain.waitlist import OfferPolicy
from tests.booking import appointment, begin, consultant, customer, pay, plan
from tests.builders import change, rows
from tests.mailing import turn_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """A webinar that is sold out: who has its places, and the entries of who waits, in their order."""

    consultant: UUID
    plan: UUID
    appointment: UUID
    seated: list[UUID]
    waiting: list[UUID]
    customers: dict[UUID, UUID]
    """Of entries."""


def full(
    operator: Database, owner: Database, *, places: Sequence[int] = (1,), waiting: int = 2
) -> Full:
    """A webinar whose places were paid for by customers, so many by each, and so many who wait for it."""
    turn_on(operator)
    whose = consultant(operator)
    webinar = plan(operator, of=whose)
    at = appointment(operator, webinar, capacity=sum(places))
    seated = []
    for count in places:
        who = reader(operator, owner)
        made = begin(operator, str(uuid4()), of=who, plan=webinar, at=at, places=count)
        pay(operator, made.payment)
        seated.append(who)
    made_ = Full(
        consultant=whose.id, plan=webinar, appointment=at, seated=seated, waiting=[], customers={}
    )
    for _ in range(waiting):
        wait(operator, owner, made_)
    return made_


def reader(operator: Database, owner: Database) -> UUID:
    """A customer with an address of their own."""
    who = customer(operator)
    change(owner, "UPDATE customers SET email = :email WHERE id = :id", email=f"{who}@a.b", id=who)
    return who


def wait(operator: Database, owner: Database, there: Full, priority: int = 0) -> UUID:
    """One more in line; its entry."""
    who = reader(operator, owner)
    entry = operator.transact(
        lambda tx: join(tx, CustomerOwner(id=who), there.appointment, priority=priority)
    )
    there.waiting.append(entry)
    there.customers[entry] = who
    return entry


def remove(database: Database, there: Full, who: UUID) -> None:
    """A participant is taken out, with all places."""
    owner = ConsultantOwner(id=there.consultant)
    database.transact(lambda tx: remove_participant(tx, owner, there.appointment, who))


def takes(database: Database, there: Full, entry: UUID, key: str = "k") -> Receipt:
    """Whoever an offer was made to takes it."""
    owner = CustomerOwner(id=there.customers[entry])
    request = Request(scope=SCOPE, actor=str(owner.id), key=key)
    return database.transact(lambda tx: accept(tx, owner, entry, request))


def declines(database: Database, there: Full, entry: UUID) -> None:
    """Whoever an offer was made to declines it."""
    owner = CustomerOwner(id=there.customers[entry])
    database.transact(lambda tx: decline(tx, owner, entry))


def leaves(database: Database, there: Full, entry: UUID) -> None:
    """Somebody leaves the line."""
    owner = CustomerOwner(id=there.customers[entry])
    database.transact(lambda tx: leave(tx, owner, entry))


def line(database: Database, there: Full) -> list[str]:
    """The states of its entries, in the order in which they joined."""
    found = rows(
        database, "SELECT id, state FROM waitlist WHERE appointment = :id", id=there.appointment
    )
    states = {row.id: row.state for row in found}
    return [states[entry] for entry in there.waiting]


def taken(database: Database, there: Full) -> tuple[str, int, int]:
    """Where its appointment is, with places taken and in all."""
    [row] = rows(
        database,
        "SELECT state, taken, capacity FROM appointments WHERE id = :id",
        id=there.appointment,
    )
    return row.state, row.taken, row.capacity


def offered(operator: Database, owner: Database, *, waiting: int = 2) -> Full:
    """A webinar whose one place was freed, and offered to the first of those who wait."""
    there = full(operator, owner, waiting=waiting)
    remove(operator, there, there.seated[0])
    order = ClaimOrder(run=0, limit=10, lease_seconds=15.0)
    operator.transact(lambda tx: offer(tx, order, OfferPolicy()))
    return there
