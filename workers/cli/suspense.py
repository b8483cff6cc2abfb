"""`suspense …`: read the money that is set apart until a person has looked."""

from typing import Annotated
from uuid import UUID

import typer

from domain.errors import NotFoundError
from domain.listings import SuspenseState
from workers.cli.asking import dicts, subject
from workers.cli.context import context
from workers.cli.listing import STATE, Asked, Found, found, listing
from workers.cli.output import JsonOne, plain, show, show_one

app = typer.Typer(
    name="suspense", help="Read money that is set apart, an item each.", no_args_is_help=True
)

COLUMNS = (
    "kind",
    "external_id",
    "state",
    "open_minor",
    "opened_minor",
    "age_days",
    "reason",
    "owner",
    "id",
)


@app.command("list")
@listing(columns=COLUMNS, key="id", read=subject, empty="nothing is in suspense")
def list_(
    ctx: typer.Context,
    asked: Asked[UUID],
    state: Annotated[SuspenseState | None, STATE] = None,
) -> Found:
    """List items of suspense, newest first: how much of each is open, how old it is, and why it is there."""
    from db.suspense import items

    with context(ctx).database().begin() as tx:
        page = items.listing(tx, state=state, after=asked.after, limit=asked.limit)
        return found(page, total="open_minor")


@app.command("show")
def show_(
    ctx: typer.Context,
    item: Annotated[str, typer.Argument(help="Id or external id of a receipt or an obligation.")],
    json: JsonOne = False,
) -> None:
    """Show everything about one item, with what opened it and what left it."""
    from db.suspense import items

    with context(ctx).database().begin() as tx:
        id_ = items.find(tx, item)
        row = items.show(tx, id_)
        entries = dicts(items.entries(tx, id_))
    if row is None:
        raise NotFoundError(f"there is no item {item}")
    facts = dicts([row])[0]
    told = {**facts, "entries": [plain(line) for line in entries]} if json else facts
    show_one(told, json=json)
    if not json:
        typer.echo()
        show(entries, ("at", "fact", "debit", "credit", "amount_minor", "reason", "actor"))
