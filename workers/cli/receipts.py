"""`receipts …`: read what came in for obligations, and what became of it."""

from typing import Annotated
from uuid import UUID

import typer

from domain.errors import NotFoundError
from domain.listings import ReceiptState
from workers.cli.asking import dicts, subject
from workers.cli.context import context
from workers.cli.listing import STATE, Asked, Found, found, listing
from workers.cli.output import JsonOne, plain, show, show_one

app = typer.Typer(name="receipts", help="Read what came in for obligations.", no_args_is_help=True)

COLUMNS = (
    "external_id",
    "state",
    "reference",
    "obligation",
    "amount_minor",
    "suspense_minor",
    "received_on",
    "method",
    "id",
)


@app.command("list")
@listing(columns=COLUMNS, key="id", read=subject, empty="no such receipt")
def list_(
    ctx: typer.Context,
    asked: Asked[UUID],
    state: Annotated[ReceiptState | None, STATE] = None,
) -> Found:
    """List receipts, newest first: the obligation of each, and what of it is in suspense."""
    from db.obligations import receipts as rows

    with context(ctx).database().begin() as tx:
        page = rows.listing(tx, state=state, after=asked.after, limit=asked.limit)
        return found(page, total="amount_minor")


@app.command("show")
def show_(
    ctx: typer.Context,
    receipt: Annotated[str, typer.Argument(help="Id or external id.")],
    json: JsonOne = False,
) -> None:
    """Show everything about one receipt, with what the books say of it."""
    from db.obligations import receipts as rows

    with context(ctx).database().begin() as tx:
        id_ = rows.find(tx, receipt)
        row = rows.show(tx, id_)
        entries = dicts(rows.entries(tx, id_))
    if row is None:
        raise NotFoundError(f"there is no receipt {receipt}")
    facts = dicts([row])[0]
    told = {**facts, "entries": [plain(line) for line in entries]} if json else facts
    show_one(told, json=json)
    if not json:
        typer.echo()
        show(entries, ("at", "fact", "debit", "credit", "amount_minor", "reason", "actor"))
