"""The operations on bookings: what each asks and answers, and the one function of `db` that does it."""

from datetime import datetime
from typing import Final, Self
from uuid import UUID

from pydantic import Field

from db.bookings.availability import (
    APPOINTMENTS_MAX,
    CANDIDATES_MAX,
    free_times,
    open_appointments,
)
from db.bookings.cancel import cancel_pending_checkout
from db.bookings.confirm import confirm_checkout
from db.bookings.names import Named, id_of
from db.bookings.participants import ROSTER_MAX, participants, remove_participant
from db.bookings.reschedule import reschedule
from db.bookings.start import own_checkout, start_checkout
from db.tx import Tx
from domain.checkouts import PLACES_MAX, TIMES_MAX, Receipt, Request, Wanted
from domain.owners import ConsultantOwner, CustomerOwner, OrganisationOwner
from domain.payments import PaymentState
from workers.web.operations.shapes import (
    CANCEL,
    CHECKOUT,
    PARTICIPANTS,
    REMOVAL,
    Amount,
    Answered,
    AnyOperation,
    Asked,
    Caller,
    Moment,
    Name,
    Operation,
)


class StartCheckout(Asked):
    """A checkout of a customer: an appointment of a shared plan, or times of a private one."""

    plan: Name
    appointment: Name | None = None
    starts: tuple[Moment, ...] = Field(default=(), max_length=TIMES_MAX)
    places: int = Field(default=1, ge=1, le=PLACES_MAX)
    wallet_minor: Amount = Field(default=0, description="What the customer's wallet pays.")
    credit_minor: Amount = Field(default=0, description="What their referral credit pays.")
    booking: UUID | None = Field(default=None, description="A wish of theirs that this pays for.")
    organisation: Name | None = Field(
        default=None, description="Whose wallet pays, where it is not the customer's own."
    )


class Checkout(Answered):
    """The gateway is to be paid `gateway_minor` under `gateway_order`, once it has made that, until `expires_at`."""

    payment: UUID
    booking: UUID
    state: PaymentState
    amount_minor: int
    gateway_minor: int
    currency: str
    order: UUID | None
    gateway: str | None
    gateway_order: str | None
    expires_at: datetime

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """What a customer is told of a checkout."""
        return cls(
            payment=receipt.payment,
            booking=receipt.booking,
            state=PaymentState(receipt.state),
            amount_minor=receipt.amount_minor,
            gateway_minor=receipt.gateway_minor,
            currency=receipt.currency,
            order=receipt.order,
            gateway=receipt.gateway,
            gateway_order=receipt.gateway_order,
            expires_at=receipt.expires_at,
        )


def organisation_of(tx: Tx, name: str | None) -> OrganisationOwner | None:
    """Whose wallet is to pay, where somebody says so."""
    return None if name is None else OrganisationOwner(id=id_of(tx, Named.ORGANISATION, name))


def _start(tx: Tx, caller: Caller, asked: StartCheckout) -> Checkout:
    at = asked.appointment
    wanted = Wanted(
        customer=CustomerOwner(id=caller.actor),
        plan=id_of(tx, Named.PLAN, asked.plan),
        appointment=None if at is None else id_of(tx, Named.APPOINTMENT, at),
        starts=asked.starts,
        places=asked.places,
        wallet_minor=asked.wallet_minor,
        credit_minor=asked.credit_minor,
        booking=asked.booking,
        organisation=organisation_of(tx, asked.organisation),
    )
    scope = f"application:{caller.application}"
    request = Request(scope=scope, actor=str(caller.actor), key=caller.key)
    return Checkout.of(start_checkout(tx, request, wanted))


class ShowCheckout(Asked):
    """A customer's own checkout, as it is now."""

    payment: UUID


def _show(tx: Tx, caller: Caller, asked: ShowCheckout) -> Checkout:
    return Checkout.of(own_checkout(tx, CustomerOwner(id=caller.actor), asked.payment))


class ConfirmCheckout(ShowCheckout):
    """A customer's own checkout, of which they say that they paid it: its gateway is asked now, and believed alone."""


def _confirm(tx: Tx, caller: Caller, asked: ConfirmCheckout) -> Checkout:
    return Checkout.of(confirm_checkout(tx, CustomerOwner(id=caller.actor), asked.payment))


class CancelPendingCheckout(Asked):
    """The end of a customer's own checkout that nobody paid yet."""

    payment: UUID


class Cancelled(Answered):
    """How many places are free again."""

    payment: UUID
    places_released: int


def _cancel(tx: Tx, caller: Caller, asked: CancelPendingCheckout) -> Cancelled:
    done = cancel_pending_checkout(tx, CustomerOwner(id=caller.actor), asked.payment)
    return Cancelled(payment=done.payment, places_released=done.places_released)


class Reschedule(Asked):
    """A customer's paid booking, moved: to another appointment of its plan, or to times where it is private."""

    booking: Name
    appointment: Name | None = None
    starts: tuple[Moment, ...] = Field(default=(), max_length=TIMES_MAX)


class Rescheduled(Answered):
    """Where the booking is now."""

    appointment: UUID


def _reschedule(tx: Tx, caller: Caller, asked: Reschedule) -> Rescheduled:
    booking = id_of(tx, Named.BOOKING, asked.booking)
    at = asked.appointment
    to = None if at is None else id_of(tx, Named.APPOINTMENT, at)
    owner = CustomerOwner(id=caller.actor)
    return Rescheduled(appointment=reschedule(tx, owner, booking, to=to, starts=asked.starts))


class Participants(Asked):
    """Who takes part in an appointment of a consultant."""

    appointment: Name


class Participant(Answered):
    """A customer with a confirmed seat."""

    customer: UUID
    external_id: str
    name: str
    places: int
    since: datetime


class Roster(Answered):
    """In the order in which they came; `truncated` where there are more than are told."""

    participants: tuple[Participant, ...] = Field(max_length=ROSTER_MAX)
    truncated: bool


def _participants(tx: Tx, caller: Caller, asked: Participants) -> Roster:
    appointment = id_of(tx, Named.APPOINTMENT, asked.appointment)
    found = participants(tx, ConsultantOwner(id=caller.actor), appointment)
    told = tuple(
        Participant(
            customer=row.id,
            external_id=row.external_id,
            name=row.name,
            places=row.places,
            since=row.since,
        )
        for row in found.customers
    )
    return Roster(participants=told, truncated=found.truncated)


class RemoveParticipant(Asked):
    """A customer whom a consultant takes out of an appointment."""

    appointment: Name
    customer: Name


class Removed(Answered):
    """How many places are free again, and the bookings that ended with them."""

    places_released: int
    bookings: tuple[UUID, ...]


def _remove(tx: Tx, caller: Caller, asked: RemoveParticipant) -> Removed:
    appointment = id_of(tx, Named.APPOINTMENT, asked.appointment)
    customer = id_of(tx, Named.CUSTOMER, asked.customer)
    done = remove_participant(tx, ConsultantOwner(id=caller.actor), appointment, customer)
    return Removed(places_released=done.places_released, bookings=done.bookings)


class FreeTimes(Asked):
    """Times at which a customer would begin a private plan."""

    plan: Name
    candidates: tuple[Moment, ...] = Field(min_length=1, max_length=CANDIDATES_MAX)


class Free(Answered):
    """Those that were free a moment ago, in order; a checkout looks again."""

    free: tuple[datetime, ...]


def _free(tx: Tx, _caller: Caller, asked: FreeTimes) -> Free:
    plan = id_of(tx, Named.PLAN, asked.plan)
    return Free(free=tuple(free_times(tx, plan, asked.candidates)))


class OpenAppointments(Asked):
    """The next appointments of a shared plan."""

    plan: Name
    after: Moment | None = Field(default=None, description="Those that begin later than this.")


class Appointment(Answered):
    """When it begins and ends, and how many places were free a moment ago."""

    appointment: UUID
    external_id: str | None
    starts_at: datetime
    ends_at: datetime
    capacity: int
    free: int


class Appointments(Answered):
    """In the order in which they begin; for more, ask for those after the last."""

    appointments: tuple[Appointment, ...] = Field(max_length=APPOINTMENTS_MAX)


def _open(tx: Tx, _caller: Caller, asked: OpenAppointments) -> Appointments:
    found = open_appointments(tx, id_of(tx, Named.PLAN, asked.plan), after=asked.after)
    told = tuple(
        Appointment(
            appointment=row.id,
            external_id=row.external_id,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            capacity=row.capacity,
            free=row.free,
        )
        for row in found
    )
    return Appointments(appointments=told)


_WHO, _HOST = Named.CUSTOMER, Named.CONSULTANT

OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation("bookings.start_checkout", _WHO, StartCheckout, _start, CHECKOUT, Checkout),
    Operation("bookings.checkout", _WHO, ShowCheckout, _show, PARTICIPANTS, Checkout, is_reading=True),
    Operation("bookings.confirm_checkout", _WHO, ConfirmCheckout, _confirm, CHECKOUT, Checkout),
    Operation("bookings.cancel_pending_checkout", _WHO, CancelPendingCheckout, _cancel, CANCEL, Cancelled),
    Operation("bookings.reschedule", _WHO, Reschedule, _reschedule, CHECKOUT, Rescheduled),
    Operation("bookings.remove_participant", _HOST, RemoveParticipant, _remove, REMOVAL, Removed),
    Operation("bookings.participants", _HOST, Participants, _participants, PARTICIPANTS, Roster, is_reading=True),
    Operation("bookings.free_times", _WHO, FreeTimes, _free, PARTICIPANTS, Free, is_reading=True),
    Operation("bookings.open_appointments", _WHO, OpenAppointments, _open, PARTICIPANTS, Appointments, is_reading=True),
)  # fmt: skip
"""One line each: its name, who acts, what is asked, the function, what it counts into, what is answered."""
