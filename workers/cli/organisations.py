"""`organisations …`: who belongs to one, and what its wallets paid, for whom and by whose word."""

from typing import Annotated

import typer

from domain.owners import OrganisationOwner
from workers.cli.asking import number
from workers.cli.context import context
from workers.cli.listing import Asked, Found, found, listing, word

app = typer.Typer(
    name="organisations",
    help="Read organisations and the log of their wallets.",
    no_args_is_help=True,
)

LISTED = ("name", "customers", "currency", "balance_minor", "wallet", "id")
LOGGED = (
    "entry",
    "at",
    "fact",
    "minor",
    "currency",
    "balance_minor",
    "booking",
    "customer",
    "actor",
)


@app.command("list")
@listing(columns=LISTED, key="name", read=word, empty="no such organisation")
def list_(ctx: typer.Context, asked: Asked[str]) -> Found:
    """List organisations by name: how many customers each pays for, and what its wallets hold."""
    from db.wallets import organisations as rows

    with context(ctx).database().begin() as tx:
        return found(rows.listing(tx, after=asked.after, limit=asked.limit), total="balance_minor")


@app.command()
@listing(columns=LOGGED, key="entry", read=number, empty="nothing touched its wallets")
def log(
    ctx: typer.Context,
    asked: Asked[int],
    organisation: Annotated[str, typer.Argument(help="Id or name.")],
) -> Found:
    """List what was taken from an organisation's wallets and given to them, newest first.

    One row for each leg, with what the wallet held after it, for which booking, and by whose word.
    """
    from db.bookings.names import Named, id_of
    from db.wallets import organisations as rows

    with context(ctx).database().begin() as tx:
        owner = OrganisationOwner(id=id_of(tx, Named.ORGANISATION, organisation))
        return found(rows.log(tx, owner, after=asked.after, limit=asked.limit))
