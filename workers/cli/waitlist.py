"""`waitlist …`: who waits for a place, and what customers do about it, for whoever serves them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from domain.waitlist import OFFER, PRIORITY_MAX, WAITLIST, WaitState
from workers.cli.asking import Why, dicts, reason, wake
from workers.cli.context import Context, context
from workers.cli.families import reading
from workers.cli.output import Json, JsonOne, show, show_one

if TYPE_CHECKING:
    from db.tx import Tx
    from domain.owners import CustomerOwner

app = reading(WAITLIST, "Read who waits for a place, and act for them.")

Appointment = Annotated[str, typer.Argument(help="Id or external id.", metavar="APPOINTMENT")]
Entry = Annotated[str, typer.Argument(help="Id or external id.", metavar="ENTRY")]
Customer = Annotated[str, typer.Option("--customer", help="Whose it is: id or external id.")]
ROSTER: Final = ("id", "state", "customer", "name", "priority", "joined_at", "expires_at")


@app.command()
def join(
    ctx: typer.Context,
    appointment: Appointment,
    customer: Customer,
    why: Why,
    priority: Annotated[
        int, typer.Option("--priority", min=0, max=PRIORITY_MAX, help="More comes first.")
    ] = 0,
    json: JsonOne = False,
) -> None:
    """Put a customer in line for an appointment that is full.

    Refused twice, and while a place is free.
    """
    from db.waitlist import line
    from db.waitlist.naming import appointment_named, customer_named
    from domain.owners import CustomerOwner

    here, because = context(ctx), reason(why)

    def work(tx: "Tx") -> UUID:
        at, _ = appointment_named(tx, appointment)
        owner = CustomerOwner(id=customer_named(tx, customer))
        entry = line.join(tx, owner, at, priority=priority)
        _note(tx, here, "join", entry, because)
        return entry

    show_one({"entry": here.database().transact(work), "state": WaitState.WAITING}, json=json)


@app.command()
def leave(ctx: typer.Context, entry: Entry, customer: Customer, why: Why) -> None:
    """Take a customer out of the line; what was offered to them goes to whoever is next."""
    from db.waitlist import line

    _act(context(ctx), entry, customer, reason(why), "leave", line.leave)
    typer.echo(f"{entry} left the line")


@app.command()
def decline(ctx: typer.Context, entry: Entry, customer: Customer, why: Why) -> None:
    """Decline what is offered to a customer; it goes to whoever is next."""
    from db.waitlist import line

    _act(context(ctx), entry, customer, reason(why), "decline", line.decline)
    typer.echo(f"{entry} declined its offer")


@app.command()
def accept(
    ctx: typer.Context,
    entry: Entry,
    customer: Customer,
    why: Why,
    key: Annotated[
        str, typer.Option("--key", help="The same key again is answered with the same checkout.")
    ],
    json: JsonOne = False,
) -> None:
    """Begin a checkout that holds the place offered to a customer."""
    from dataclasses import asdict

    from db.waitlist import line
    from domain.checkouts import SCOPE, Receipt, Request

    here, because = context(ctx), reason(why)

    def work(tx: "Tx") -> Receipt:
        owner, id_ = _named(tx, entry, customer)
        receipt = line.accept(tx, owner, id_, Request(scope=SCOPE, actor=str(owner.id), key=key))
        if not receipt.replayed:
            _note(tx, here, "accept", id_, because)
        return receipt

    show_one(asdict(here.database().transact(work)), json=json)


@app.command()
def roster(ctx: typer.Context, appointment: Appointment, json: Json = False) -> None:
    """Show who has an offer, and who comes next, 500 at most."""
    from db.waitlist import line
    from db.waitlist.naming import appointment_named
    from domain.owners import ConsultantOwner

    with context(ctx).database().begin() as tx:
        at, consultant = appointment_named(tx, appointment)
        told = line.roster(tx, ConsultantOwner(id=consultant), at)
    show(dicts(told.entries), ROSTER, json=json, empty="nobody waits")
    if told.truncated:
        typer.echo(f"the first {len(told.entries)}: there are more", err=json)


def _named(tx: "Tx", entry: str, customer: str) -> "tuple[CustomerOwner, UUID]":
    from db import subjects
    from db.waitlist.family import WAITLIST as FAMILY
    from db.waitlist.naming import customer_named
    from domain.owners import CustomerOwner

    owner = CustomerOwner(id=customer_named(tx, customer))
    return owner, subjects.find(tx, [entry], [FAMILY])[entry]


def _act(
    here: Context,
    entry: str,
    customer: str,
    because: str,
    word: str,
    act: Callable[["Tx", "CustomerOwner", UUID], None],
) -> None:
    def work(tx: "Tx") -> None:
        owner, id_ = _named(tx, entry, customer)
        act(tx, owner, id_)
        _note(tx, here, word, id_, because)

    here.database().transact(work)
    wake(here, OFFER)


def _note(tx: "Tx", here: Context, word: str, entry: UUID, because: str) -> None:
    """Who did it for the customer, and why."""
    from db import changes

    changes.note(tx, f"waitlist.{word}", [str(entry)], who=here.actor, why=because)
