"""`customers …`: who books, read."""

from uuid import UUID

import typer

from workers.cli.asking import subject
from workers.cli.context import context
from workers.cli.listing import Asked, Found, found, listing

app = typer.Typer(name="customers", help="Read who books.", no_args_is_help=True)

COLUMNS = (
    "external_id",
    "name",
    "email",
    "payee",
    "organisation",
    "created_at",
    "id",
)


@app.command("list")
@listing(columns=COLUMNS, key="id", read=subject, empty="no such customer")
def list_(ctx: typer.Context, asked: Asked[UUID]) -> Found:
    """List customers, newest first."""
    from db.bookings import offers

    with context(ctx).database().begin() as tx:
        return found(offers.customers(tx, after=asked.after, limit=asked.limit))
