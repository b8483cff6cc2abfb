"""`bookings start`: begin a checkout for a customer, from the shell."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from domain.checkouts import PLACES_MAX, SCOPE, Request, Wanted
from domain.owners import CustomerOwner, OrganisationOwner
from workers.cli.asking import Why, moment, reason
from workers.cli.context import context
from workers.cli.output import JsonOne, show_one

if TYPE_CHECKING:
    from uuid import UUID

    from db.tx import Tx
    from domain.checkouts import Receipt

Customer = Annotated[str, typer.Option("--customer", help="Whose it is: id or external id.")]
Plan = Annotated[str, typer.Argument(help="Id or external id of a plan.")]
Key = Annotated[
    str, typer.Option("--key", help="The same key again is answered with the same checkout.")
]
Appointment = Annotated[
    str | None, typer.Option("--appointment", help="Of a shared plan: id or external id.")
]
Times = Annotated[
    list[str] | None, typer.Option("--at", help="Times of a private plan; repeatable.")
]
Places = Annotated[int, typer.Option("--places", min=1, max=PLACES_MAX, help="How many seats.")]
Wallet = Annotated[str | None, typer.Option("--wallet", help="What a wallet pays, such as 12.50.")]
Organisation = Annotated[
    str | None,
    typer.Option("--organisation", help="Whose wallet pays: id or name; without it their own."),
]
Credit = Annotated[str | None, typer.Option("--credit", help="What their referral credit pays.")]
Booking = Annotated[
    str | None,
    typer.Option("--booking", help="A wish of theirs that this pays for: id or external id."),
]


def start(
    ctx: typer.Context,
    plan: Plan,
    customer: Customer,
    key: Key,
    why: Why,
    appointment: Appointment = None,
    at: Times = None,
    places: Places = 1,
    wallet: Wallet = None,
    organisation: Organisation = None,
    credit: Credit = None,
    booking: Booking = None,
    json: JsonOne = False,
) -> None:
    """Begin a checkout for a customer: its places are held until it is paid, or its time is over.

    What wallet and credit do not pay the gateway is asked for.
    """
    from db import changes
    from db.bookings.names import Named, id_of, minor_of
    from db.bookings.start import start_checkout

    here, because = context(ctx), reason(why)
    starts = tuple(found for text in at or [] if (found := moment(text)) is not None)

    def optional(tx: "Tx", kind: Named, name: str | None) -> "UUID | None":
        return None if name is None else id_of(tx, kind, name)

    def work(tx: "Tx") -> "Receipt":
        offer, whose = id_of(tx, Named.PLAN, plan), optional(tx, Named.ORGANISATION, organisation)
        wanted = Wanted(
            customer=CustomerOwner(id=id_of(tx, Named.CUSTOMER, customer)),
            plan=offer,
            appointment=optional(tx, Named.APPOINTMENT, appointment),
            starts=starts,
            places=places,
            wallet_minor=minor_of(tx, offer, wallet, "--wallet"),
            credit_minor=minor_of(tx, offer, credit, "--credit"),
            booking=optional(tx, Named.BOOKING, booking),
            organisation=None if whose is None else OrganisationOwner(id=whose),
        )
        request = Request(scope=SCOPE, actor=str(wanted.customer.id), key=key)
        receipt = start_checkout(tx, request, wanted)
        if not receipt.replayed:
            changes.note(tx, "booking.start", [str(receipt.booking)], who=here.actor, why=because)
        return receipt

    show_one(asdict(here.database().transact(work)), json=json)
