"""The line as customers act on it: they join, leave, take the place that is held for them, or decline it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from db.bookings.facts import lock
from db.bookings.moving import shift
from db.bookings.places import give_back
from db.bookings.start import answered, start_checkout
from db.clock import now
from db.transitions import LeasedTx, hold
from db.tx import Row, Tx
from domain.appointments import STANDING
from domain.booking_errors import NotOpenError, PlacesFreeError, UnknownError, WaitingAlreadyError
from domain.bookings import PlanKind
from domain.checkouts import Receipt, Request, Wanted
from domain.owners import ConsultantOwner, CustomerOwner, OrganisationOwner, owned_by
from domain.waitlist import LIVE, OFFERED, ROSTER_MAX, WAITLIST, WaitState


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Who waits or has an offer, in the order of the line; `truncated` where there are more than told."""

    entries: Sequence[Row]
    truncated: bool


_PLACE: Final = sa.text("""
    SELECT a.state, a.starts_at, a.taken < a.capacity AS has_places, l.kind, l.consultant,
           EXISTS (SELECT FROM waitlist w WHERE w.appointment = a.id AND w.state = 'WAITING') AS is_awaited,
           EXISTS (SELECT FROM waitlist w WHERE w.appointment = a.id AND w.customer = :customer
                     AND w.state IN ('WAITING', 'NOTIFIED', 'REMINDED')) AS has_joined
    FROM appointments a JOIN plans l ON l.id = a.plan WHERE a.id = :appointment""")
_CUSTOMER: Final = sa.text("SELECT payee FROM customers WHERE id = :customer")
_JOIN: Final = sa.text("""
    INSERT INTO waitlist (id, external_id, appointment, customer, priority)
    VALUES (:id, CAST(CAST(:id AS uuid) AS text), :appointment, :customer, :priority)""")


def join(tx: Tx, owner: CustomerOwner, appointment: UUID, *, priority: int = 0) -> UUID:
    """Put `owner` in line for an appointment that is full; returns the entry.

    Raises `UnknownError` (appointment, customer), `NotOpenError` where it will not take place, has begun,
    is for one alone, or is the customer's own to give, `PlacesFreeError` where a place may be booked, and `WaitingAlreadyError`.
    """
    customer = owned_by(owner)
    who = tx.row(_CUSTOMER, customer=customer)
    if who is None:
        raise UnknownError(f"there is no customer {customer}")
    lock(tx, "appointment", [appointment])
    found = tx.row(_PLACE, appointment=appointment, customer=customer)
    if found is None:
        raise UnknownError(f"there is no appointment {appointment}")
    if PlanKind(found.kind).is_private or found.state not in STANDING or found.starts_at <= now(tx):
        raise NotOpenError(f"appointment {appointment} is {found.state}, of a {found.kind}")
    if who.payee == found.consultant:
        raise NotOpenError("a consultant is no participant of their own appointments")
    if found.has_joined:
        raise WaitingAlreadyError(f"customer {customer} waits for appointment {appointment}")
    if found.has_places and not found.is_awaited:
        raise PlacesFreeError(f"appointment {appointment} has places: book one")
    id_ = uuid4()
    tx.run(_JOIN, id=id_, appointment=appointment, customer=customer, priority=priority)
    return id_


_ENTRY: Final = sa.text("""
    SELECT w.id, w.state, w.appointment, a.plan, a.state AS appointment_state, a.starts_at
    FROM waitlist w JOIN appointments a ON a.id = w.appointment WHERE w.id = :entry AND w.customer = :customer""")


def _grip(tx: Tx, owner: CustomerOwner, entry: UUID) -> tuple[LeasedTx, Row]:
    """Hold an entry of `owner` and its appointment to the end of this transaction. Raises `UnknownError`.

    The entry first, as `waitlist.expire` must: it learns from entries that are due which appointments are theirs.
    """
    customer = owned_by(owner)
    found = tx.row(_ENTRY, entry=entry, customer=customer)
    if found is None:
        raise UnknownError(f"there is no entry {entry}")
    actor = f"customer:{customer}"
    mine = hold(tx, [entry], run=None, actor=actor)
    leased = hold(mine, [found.appointment], run=None, actor=actor)
    lock(leased, "appointment", [found.appointment])
    if entry not in leased.held:
        # It waited for nothing; an offer made meanwhile gave it a work row. Nobody makes one now.
        leased = hold(leased, [entry], run=None, actor=actor)
    row = leased.row(_ENTRY, entry=entry, customer=customer)
    assert row is not None, "entries are not deleted"
    return leased, row


def leave(tx: Tx, owner: CustomerOwner, entry: UUID) -> None:
    """Leave the line, or decline an offer: its place goes to whoever is next, at once.

    Raises `UnknownError` for an entry that is missing or somebody else's, `NotOpenError` once it ended.
    """
    leased, row = _grip(tx, owner, entry)
    if row.state not in LIVE:
        raise NotOpenError(f"entry {entry} is {row.state}")
    _let_go(leased, row)


def decline(tx: Tx, owner: CustomerOwner, entry: UUID) -> None:
    """Decline an offer. Raises as `leave`, and `NotOpenError` where nothing is offered."""
    leased, row = _grip(tx, owner, entry)
    if row.state not in OFFERED:
        raise NotOpenError(f"entry {entry} is {row.state}: nothing is offered to it")
    _let_go(leased, row)


def _let_go(tx: LeasedTx, row: Row) -> None:
    is_offered = row.state in OFFERED
    reason = "it declined" if is_offered else "it left"
    shift(tx, WAITLIST, {row.id: row.state}, WaitState.CANCELLED, reason=reason)
    if is_offered:
        give_back(tx, {row.appointment: 1})


_BOOKED: Final = sa.text("UPDATE waitlist SET payment = :payment WHERE id = :entry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    """What wallet (of an organisation, where one is named) and credit pay of the place, in minor units.

    The gateway is asked for the rest.
    """

    wallet_minor: int = 0
    credit_minor: int = 0
    organisation: OrganisationOwner | None = None


def accept(
    tx: Tx, owner: CustomerOwner, entry: UUID, request: Request, legs: Legs | None = None
) -> Receipt:
    """Begin a checkout that holds the offered place; the same request again is answered with the same payment.

    An offer stands until it is EXPIRED, whatever the clock says: as long as the place is held for nobody else.
    Raises `UnknownError`, `NotOpenError` where no offer stands (it ended, or was answered), and what
    `start_checkout` raises; then the offer stands as it did.
    """
    paid = legs or Legs()
    customer = owned_by(owner)
    seen = tx.row(_ENTRY, entry=entry, customer=customer)
    if seen is None:
        raise UnknownError(f"there is no entry {entry}")
    wanted = Wanted(
        customer=owner,
        plan=seen.plan,
        appointment=seen.appointment,
        wallet_minor=paid.wallet_minor,
        credit_minor=paid.credit_minor,
        organisation=paid.organisation,
    )
    known = answered(tx, request, wanted)
    if known is not None:
        return known
    leased, row = _grip(tx, owner, entry)
    if row.state not in OFFERED:
        raise NotOpenError(f"entry {entry} is {row.state}: no offer of it stands")
    if row.appointment_state not in STANDING or row.starts_at <= now(leased):
        raise NotOpenError(f"its appointment is {row.appointment_state}, and began {row.starts_at}")
    receipt = start_checkout(leased, request, wanted, offered=True)
    leased.run(_BOOKED, entry=entry, payment=receipt.payment)
    shift(leased, WAITLIST, {entry: row.state}, WaitState.BOOKED, reason="it took its place")
    return receipt


_OWN: Final = sa.text("""
    SELECT true FROM appointments a JOIN plans l ON l.id = a.plan WHERE a.id = :appointment AND l.consultant = :consultant""")
_ROSTER: Final = sa.text("""
    SELECT w.id, w.state, c.external_id AS customer, c.name, w.priority, w.joined_at, w.expires_at
    FROM waitlist w JOIN customers c ON c.id = w.customer
    WHERE w.appointment = :appointment AND w.state IN ('WAITING', 'NOTIFIED', 'REMINDED')
    ORDER BY w.state = 'WAITING', w.priority DESC, w.joined_at, w.id LIMIT :limit""")


def roster(tx: Tx, owner: ConsultantOwner, appointment: UUID) -> Roster:
    """The first `ROSTER_MAX` of the line for an appointment of `owner`: offers, then who comes next.

    Raises `UnknownError` for an appointment that is missing or somebody else's.
    """
    if not tx.scalar(_OWN, appointment=appointment, consultant=owned_by(owner)):
        raise UnknownError(f"there is no appointment {appointment}")
    rows = tx.rows(_ROSTER, appointment=appointment, limit=ROSTER_MAX + 1)
    return Roster(entries=rows[:ROSTER_MAX], truncated=len(rows) > ROSTER_MAX)
