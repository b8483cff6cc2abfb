"""`changes`: what operators did, who and why, where the thing itself does not keep it."""

from typing import Annotated

import typer

from workers.cli.asking import number
from workers.cli.context import context
from workers.cli.listing import Asked, Found, found, listing

app = typer.Typer(rich_markup_mode=None)

COLUMNS = ("id", "at", "what", "subject", "who", "why")


@app.command()
@listing(columns=COLUMNS, key="id", read=number, empty="nobody changed anything of this kind")
def changes(
    ctx: typer.Context,
    asked: Asked[int],
    subject: Annotated[
        str | None, typer.Option("--subject", help="Only of this finding, lease, schedule …")
    ] = None,
) -> Found:
    """List what operators did to findings, leases, schedules, operators, files.

    Payouts, runs, switches and proposals keep their own: payouts show, runs, maintenance history.
    """
    from db import changes as rows

    with context(ctx).database().begin() as tx:
        return found(rows.listing(tx, subject=subject, after=asked.after, limit=asked.limit))
