"""The operations on waitlists: what each asks and answers, and the one function of `db` that does it."""

from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import Field

from db.bookings.names import Named, id_of
from db.tx import Tx
from db.waitlist import line
from domain.checkouts import Request
from domain.owners import ConsultantOwner, CustomerOwner
from domain.waitlist import PRIORITY_MAX, ROSTER_MAX, WaitState
from workers.web.operations.bookings import Checkout, organisation_of
from workers.web.operations.shapes import (
    CANCEL,
    CHECKOUT,
    PARTICIPANTS,
    Amount,
    Answered,
    AnyOperation,
    Asked,
    Caller,
    Name,
    Operation,
)


class JoinWaitlist(Asked):
    """A customer who waits for a place at an appointment that is full."""

    appointment: Name
    priority: int = Field(default=0, ge=0, le=PRIORITY_MAX, description="More comes first.")


class Joined(Answered):
    """Their entry, by which they leave, accept or decline."""

    entry: UUID
    state: WaitState


def _join(tx: Tx, caller: Caller, asked: JoinWaitlist) -> Joined:
    at = id_of(tx, Named.APPOINTMENT, asked.appointment)
    owner = CustomerOwner(id=caller.actor)
    entry = line.join(tx, owner, at, priority=asked.priority)
    return Joined(entry=entry, state=WaitState.WAITING)


class LeaveWaitlist(Asked):
    """A customer's own entry that ends; a place that was offered goes to whoever is next."""

    entry: UUID


class Left(Answered):
    """The entry, which has ended."""

    entry: UUID
    state: WaitState


def _leave(tx: Tx, caller: Caller, asked: LeaveWaitlist) -> Left:
    line.leave(tx, CustomerOwner(id=caller.actor), asked.entry)
    return Left(entry=asked.entry, state=WaitState.CANCELLED)


def _decline(tx: Tx, caller: Caller, asked: LeaveWaitlist) -> Left:
    line.decline(tx, CustomerOwner(id=caller.actor), asked.entry)
    return Left(entry=asked.entry, state=WaitState.CANCELLED)


class AcceptOffer(Asked):
    """The checkout of a place that is held for a customer."""

    entry: UUID
    wallet_minor: Amount = Field(default=0, description="What the customer's wallet pays.")
    credit_minor: Amount = Field(default=0, description="What their referral credit pays.")
    organisation: Name | None = Field(
        default=None, description="Whose wallet pays, where it is not the customer's own."
    )


def _accept(tx: Tx, caller: Caller, asked: AcceptOffer) -> Checkout:
    scope = f"application:{caller.application}"
    request = Request(scope=scope, actor=str(caller.actor), key=caller.key)
    legs = line.Legs(
        wallet_minor=asked.wallet_minor,
        credit_minor=asked.credit_minor,
        organisation=organisation_of(tx, asked.organisation),
    )
    owner = CustomerOwner(id=caller.actor)
    return Checkout.of(line.accept(tx, owner, asked.entry, request, legs))


class Waitlist(Asked):
    """Who waits for an appointment of a consultant."""

    appointment: Name


class Waiting(Answered):
    """A customer in line; `expires_at` is when their offer ends."""

    entry: UUID
    state: WaitState
    customer: str
    name: str
    priority: int
    joined_at: datetime
    expires_at: datetime | None


class Line(Answered):
    """Offers, then who comes next; `truncated` where there are more than are told."""

    entries: tuple[Waiting, ...] = Field(max_length=ROSTER_MAX)
    truncated: bool


def _roster(tx: Tx, caller: Caller, asked: Waitlist) -> Line:
    at = id_of(tx, Named.APPOINTMENT, asked.appointment)
    found = line.roster(tx, ConsultantOwner(id=caller.actor), at)
    told = tuple(
        Waiting(
            entry=row.id,
            state=WaitState(row.state),
            customer=row.customer,
            name=row.name,
            priority=row.priority,
            joined_at=row.joined_at,
            expires_at=row.expires_at,
        )
        for row in found.entries
    )
    return Line(entries=told, truncated=found.truncated)


_WHO, _HOST = Named.CUSTOMER, Named.CONSULTANT

OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation("waitlist.join", _WHO, JoinWaitlist, _join, CHECKOUT, Joined),
    Operation("waitlist.leave", _WHO, LeaveWaitlist, _leave, CANCEL, Left),
    Operation("waitlist.accept", _WHO, AcceptOffer, _accept, CHECKOUT, Checkout),
    Operation("waitlist.decline", _WHO, LeaveWaitlist, _decline, CANCEL, Left),
    Operation("waitlist.roster", _HOST, Waitlist, _roster, PARTICIPANTS, Line, is_reading=True),
)
"""One line each: its name, who acts, what is asked, the function, what it counts into, what is answered."""
