"""`bookings …`: read them, and do for a customer or a consultant what they ask a person for."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final, TypeVar
from uuid import UUID

import typer

from domain.bookings import BOOKINGS
from domain.owners import ConsultantOwner, CustomerOwner
from workers.cli.asking import Why, moment, reason, subject
from workers.cli.context import Context, context
from workers.cli.families import reading
from workers.cli.output import Json, show
from workers.cli.starting import Customer, Plan, start
from workers.cli.wishing import approve, reject, request, withdraw

if TYPE_CHECKING:
    from db.tx import Tx

app = reading(BOOKINGS, "Read bookings, and do what a customer or a consultant asks for.")
for command in (start, request, approve, reject, withdraw):
    app.command()(command)

COLUMNS: Final = ("external_id", "name", "places", "since")
OPEN: Final = ("external_id", "starts_at", "ends_at", "capacity", "free", "id")
Consultant = Annotated[str, typer.Option("--consultant", help="Whose it is: id or name.")]
Appointment = Annotated[str, typer.Argument(help="Id or external id of an appointment.")]
T = TypeVar("T")


@app.command()
def cancel(
    ctx: typer.Context,
    payment: Annotated[str, typer.Argument(help="Id of the payment.")],
    customer: Customer,
    why: Why,
) -> None:
    """Cancel a checkout that nobody paid yet, with all that hangs on it."""
    from db.bookings.cancel import cancel_pending_checkout
    from db.bookings.names import Named, id_of

    id_ = subject(payment, "payment")

    def work(tx: "Tx") -> int:
        owner = CustomerOwner(id=id_of(tx, Named.CUSTOMER, customer))
        return cancel_pending_checkout(tx, owner, id_).places_released

    freed = _changed(context(ctx), "booking.cancel", payment, reason(why), work)
    typer.echo(f"payment {payment} is EXPIRED: {freed} places are free")


@app.command()
def confirm(
    ctx: typer.Context,
    payment: Annotated[str, typer.Argument(help="Id of the payment.")],
    customer: Customer,
    why: Why,
) -> None:
    """Have the gateway be asked now whether a checkout was paid; only its own word is believed."""
    from db.bookings.confirm import confirm_checkout
    from db.bookings.names import Named, id_of

    id_ = subject(payment, "payment")

    def work(tx: "Tx") -> str:
        owner = CustomerOwner(id=id_of(tx, Named.CUSTOMER, customer))
        return confirm_checkout(tx, owner, id_).state

    state = _changed(context(ctx), "booking.confirm", payment, reason(why), work)
    typer.echo(f"payment {payment} is {state}; its gateway is asked where its order is open")


@app.command()
def reschedule(
    ctx: typer.Context,
    booking: Annotated[str, typer.Argument(help="Id or external id of a booking.")],
    customer: Customer,
    why: Why,
    to: Annotated[
        str | None, typer.Option("--to", help="Another appointment of its plan: id or external id.")
    ] = None,
    at: Annotated[
        list[str] | None, typer.Option("--at", help="Times of a private plan; repeatable.")
    ] = None,
) -> None:
    """Move a paid booking to another appointment, or to other times."""
    from db.bookings import reschedule as moving
    from db.bookings.names import Named, id_of

    starts = [found for text in at or [] if (found := moment(text)) is not None]

    def work(tx: "Tx") -> UUID:
        owner = CustomerOwner(id=id_of(tx, Named.CUSTOMER, customer))
        id_ = id_of(tx, Named.BOOKING, booking)
        there = None if to is None else id_of(tx, Named.APPOINTMENT, to)
        return moving.reschedule(tx, owner, id_, to=there, starts=starts)

    now_at = _changed(context(ctx), "booking.reschedule", booking, reason(why), work)
    typer.echo(f"booking {booking} is at appointment {now_at}")


@app.command()
def participants(
    ctx: typer.Context, appointment: Appointment, consultant: Consultant, json: Json = False
) -> None:
    """List who takes part in an appointment, in the order in which they came."""
    from db.bookings.names import Named, id_of
    from db.bookings.participants import ROSTER_MAX, participants as told

    with context(ctx).database().begin() as tx:
        owner = ConsultantOwner(id=id_of(tx, Named.CONSULTANT, consultant))
        found = told(tx, owner, id_of(tx, Named.APPOINTMENT, appointment))
    show([row._asdict() for row in found.customers], COLUMNS, key="external_id", json=json)
    if found.truncated:
        typer.echo(f"only the first {ROSTER_MAX}", err=True)


@app.command()
def availability(
    ctx: typer.Context,
    plan: Plan,
    at: Annotated[
        list[str] | None,
        typer.Option("--at", help="Times that a private plan may begin at; repeatable."),
    ] = None,
    after: Annotated[
        str | None, typer.Option("--after", help="Appointments that begin later than this.")
    ] = None,
    json: Json = False,
) -> None:
    """List what may be booked: of times those that are free; without any, the next appointments of a shared plan."""
    from db.bookings.availability import free_times, open_appointments
    from db.bookings.names import Named, id_of

    wanted = [found for text in at or [] if (found := moment(text)) is not None]
    since = moment(after, "--after")
    with context(ctx).database().begin() as tx:
        id_ = id_of(tx, Named.PLAN, plan)
        if wanted:
            free = [{"starts_at": one} for one in free_times(tx, id_, wanted)]
            return show(free, ("starts_at",), key="starts_at", json=json)
        listed = [row._asdict() for row in open_appointments(tx, id_, after=since)]
    return show(listed, OPEN, key="id", json=json)


@app.command()
def remove(
    ctx: typer.Context,
    appointment: Appointment,
    customer: Annotated[str, typer.Argument(help="Who is taken out: id or external id.")],
    consultant: Consultant,
    why: Why,
) -> None:
    """Take a customer out of an appointment: every place they confirmed is free at once."""
    from db.bookings.names import Named, id_of
    from db.bookings.participants import remove_participant

    def work(tx: "Tx") -> int:
        owner = ConsultantOwner(id=id_of(tx, Named.CONSULTANT, consultant))
        at, who = id_of(tx, Named.APPOINTMENT, appointment), id_of(tx, Named.CUSTOMER, customer)
        return remove_participant(tx, owner, at, who).places_released

    freed = _changed(context(ctx), "booking.remove", appointment, reason(why), work)
    typer.echo(f"{customer} is taken out of {appointment}: {freed} places are free")


def _changed(here: Context, what: str, about: str, why: str, work: "Callable[[Tx], T]") -> T:
    """Do `work` and note who asked for it and why, both or neither."""
    from db import changes

    def both(tx: "Tx") -> T:
        done = work(tx)
        changes.note(tx, what, [about], who=here.actor, why=why)
        return done

    return here.database().transact(both)
