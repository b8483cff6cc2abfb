"""`operators …`: who may decide about money."""

import secrets
from typing import Annotated

import typer

from workers.cli.asking import dicts
from workers.cli.context import context
from workers.cli.output import Csv, Json, show, show_one

app = typer.Typer(name="operators", help="Who may decide about money.", no_args_is_help=True)

TOKEN_BYTES = 32


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="How history will name them.")],
    json: Json = False,
) -> None:
    """Make somebody an operator; their token is printed once, and only its hash is kept.

    The first one is added by whoever reaches the database; later ones by an operator.
    """
    from db import operators

    here, token = context(ctx), secrets.token_urlsafe(TOKEN_BYTES)
    with here.database().begin() as tx:
        first = not operators.listing(tx)
    by = here.actor if first else here.operator
    with here.database().begin() as tx:
        operators.add(tx, name, token, by=by)
    show_one({"operator": name, "token": token}, json=json)
    typer.echo("keep it: it is shown this once. export BURSAR_OPERATOR_TOKEN=…", err=True)


@app.command("list")
def list_(ctx: typer.Context, json: Json = False, csv: Csv = False) -> None:
    """List operators, also those removed."""
    from db import operators

    with context(ctx).database().begin() as tx:
        found = dicts(operators.listing(tx))
    columns = ("name", "added_by", "added_at", "removed_at")
    show(found, columns, json=json, csv=csv, empty="no operator: `bursar operators add NAME`")


@app.command()
def remove(ctx: typer.Context, name: str) -> None:
    """Take an operator's rights away; history keeps the name."""
    from db import operators

    here = context(ctx)
    by = here.operator
    with here.database().begin() as tx:
        operators.remove(tx, name)
    typer.echo(f"{name} is an operator no more, says {by}")
