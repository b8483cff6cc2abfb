"""`leases …`: what is held, by whom, until when."""

from typing import Annotated

import typer

from domain.errors import NotFoundError, RefusedError
from workers.cli.asking import Why, dicts, reason
from workers.cli.context import context
from workers.cli.output import Csv, Json, show

app = typer.Typer(name="leases", help="What is held, by whom, until when.", no_args_is_help=True)


@app.command("list")
def list_leases(ctx: typer.Context, json: Json = False, csv: Csv = False) -> None:
    """List leases on named things: runs and jobs."""
    from db import leases as rows

    with context(ctx).database().begin() as tx:
        found = dicts(rows.listing(tx))
    columns = ("name", "holder", "worker", "is_live", "leased_until", "acquired_at", "token")
    show(found, columns, json=json, csv=csv, empty="nothing is held")


@app.command("break")
def break_(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Such as job:upkeep.audit.")],
    why: Why,
) -> None:
    """Drop a lease whose time is over.

    A live one is never broken: its holder acts on it. It ends by itself within seconds of its end.
    """
    from db import leases as rows

    here, because = context(ctx), reason(why)
    with here.database().begin() as tx:
        if not rows.break_expired(tx, name):
            if name in {row.name for row in rows.listing(tx)}:
                raise RefusedError(f"lease {name} is live: a live lease is never broken")
            raise NotFoundError(f"there is no lease {name}")
    typer.echo(f"{name} is free, says {here.actor}: {because}")
