"""`bookings request|approve|reject|withdraw`: wishes, for whoever serves customers and consultants."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from domain.checkouts import Request
from domain.owners import ConsultantOwner, CustomerOwner
from domain.wishes import SCOPE, Wish, Wished
from workers.cli.asking import Why, reason
from workers.cli.context import context
from workers.cli.output import Json, JsonOne, show, show_one
from workers.cli.starting import Customer, Plan

if TYPE_CHECKING:
    from db.tx import Tx

TOLD: Final = ("booking", "state", "until")
Bookings = Annotated[list[str], typer.Argument(help="Ids or external ids of wishes.")]
Consultant = Annotated[str, typer.Option("--consultant", help="Whose plans: id or name.")]
Key = Annotated[
    str, typer.Option("--key", help="The same key again is answered with the same wish.")
]


def request(
    ctx: typer.Context,
    plan: Plan,
    customer: Customer,
    key: Key,
    why: Why,
    json: JsonOne = False,
) -> None:
    """Keep what a customer would book, once its consultant agrees; it ends where nobody decides within a week."""
    from db import changes
    from db.bookings.names import Named, id_of
    from db.bookings.request import request_booking

    here, because = context(ctx), reason(why)

    def work(tx: "Tx") -> Wished:
        owner = _customer(tx, customer)
        asked = Request(scope=SCOPE, actor=str(owner.id), key=key)
        wish = Wish(customer=owner, plan=id_of(tx, Named.PLAN, plan))
        wished = request_booking(tx, asked, wish)
        if not wished.replayed:
            changes.note(tx, "booking.request", [str(wished.booking)], who=here.actor, why=because)
        return wished

    show_one(asdict(here.database().transact(work)), json=json)


def approve(
    ctx: typer.Context, bookings: Bookings, consultant: Consultant, why: Why, json: Json = False
) -> None:
    """Agree to wishes for their consultant: each waits a week for its checkout. All of them, or none."""
    from db.bookings.wishes import approve_bookings

    def work(tx: "Tx", ids: list[UUID]) -> list[Wished]:
        return approve_bookings(tx, _consultant(tx, consultant), ids)

    _decide(ctx, "booking.approve", bookings, why, work, json=json)


def reject(
    ctx: typer.Context, bookings: Bookings, consultant: Consultant, why: Why, json: Json = False
) -> None:
    """Decline wishes for their consultant. All of them, or none."""
    from db.bookings.wishes import reject_bookings

    def work(tx: "Tx", ids: list[UUID]) -> list[Wished]:
        return reject_bookings(tx, _consultant(tx, consultant), ids)

    _decide(ctx, "booking.reject", bookings, why, work, json=json)


def withdraw(
    ctx: typer.Context, bookings: Bookings, customer: Customer, why: Why, json: Json = False
) -> None:
    """Take wishes back for their customer, while no checkout of them is under way. All of them, or none."""
    from db.bookings.wishes import withdraw_bookings

    def work(tx: "Tx", ids: list[UUID]) -> list[Wished]:
        return withdraw_bookings(tx, _customer(tx, customer), ids)

    _decide(ctx, "booking.withdraw", bookings, why, work, json=json)


def _customer(tx: "Tx", name: str) -> CustomerOwner:
    from db.bookings.names import Named, id_of

    return CustomerOwner(id=id_of(tx, Named.CUSTOMER, name))


def _consultant(tx: "Tx", name: str) -> ConsultantOwner:
    from db.bookings.names import Named, id_of

    return ConsultantOwner(id=id_of(tx, Named.CONSULTANT, name))


def _decide(
    ctx: typer.Context,
    what: str,
    names: Sequence[str],
    why: str,
    work: "Callable[[Tx, list[UUID]], list[Wished]]",
    *,
    json: bool,
) -> None:
    """Decide and note who asked for it and why, both or neither."""
    from db import changes
    from db.bookings.names import bookings_of

    here, because = context(ctx), reason(why)

    def both(tx: "Tx") -> list[Wished]:
        done = work(tx, bookings_of(tx, names))
        changes.note(tx, what, [str(one.booking) for one in done], who=here.actor, why=because)
        return done

    done = [asdict(one) for one in here.database().transact(both)]
    show(done, TOLD, key="booking", json=json)
