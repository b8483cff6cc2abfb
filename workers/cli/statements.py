"""`statements …`: the bank's own lines as they were read, and what each turned out to be."""

from typing import Annotated

import typer

from domain.statements import LineState
from workers.cli.asking import number
from workers.cli.context import context
from workers.cli.listing import STATE, Asked, Found, found, listing

app = typer.Typer(name="statements", help="Read the bank's statement lines.", no_args_is_help=True)

COLUMNS = ("number", "line_id", "occurred_at", "side", "amount_minor", "state", "payout", "utr")


@app.callback()
def group() -> None:
    """Keep `list` a command of its own."""


@app.command("list")
@listing(columns=COLUMNS, key="number", read=number, empty="no such line")
def list_(
    ctx: typer.Context,
    asked: Asked[int],
    state: Annotated[LineState | None, STATE] = None,
) -> Found:
    """List statement lines, those taken over last first."""
    from db.statements import listing as rows
    from db.statements.listing import Page

    page = Page(state=state, after=asked.after, limit=asked.limit)
    with context(ctx).database().begin() as tx:
        return found(rows.listing(tx, page), total="amount_minor")
