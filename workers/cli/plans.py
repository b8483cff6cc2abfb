"""`plans …`: what consultants offer, read."""

from uuid import UUID

import typer

from workers.cli.asking import subject
from workers.cli.context import context
from workers.cli.listing import Asked, Found, found, listing

app = typer.Typer(name="plans", help="Read what consultants offer.", no_args_is_help=True)

COLUMNS = (
    "external_id",
    "consultant",
    "kind",
    "title",
    "price_minor",
    "currency",
    "minutes",
    "times",
    "active",
    "id",
)


@app.command("list")
@listing(columns=COLUMNS, key="id", read=subject, empty="no such plan")
def list_(ctx: typer.Context, asked: Asked[UUID]) -> Found:
    """List plans, newest first."""
    from db.bookings import offers

    with context(ctx).database().begin() as tx:
        return found(offers.plans(tx, after=asked.after, limit=asked.limit))
