"""`operators …`: who may decide about money."""

from typing import Annotated

import typer

from domain.listings import OperatorState
from workers.cli.asking import Why, reason
from workers.cli.context import context
from workers.cli.listing import STATE, Asked, Found, found, listing, word
from workers.cli.output import JsonOne
from workers.cli.tokens import fresh, tell

app = typer.Typer(name="operators", help="Who may decide about money.", no_args_is_help=True)

COLUMNS = ("name", "state", "added_by", "added_at", "removed_at")
NOBODY = "no such operator: `bursar operators add NAME --why …`"


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="How history will name them.")],
    why: Why,
    json: JsonOne = False,
) -> None:
    """Make somebody an operator; their token is printed once, and only its hash is kept.

    The first one is added by whoever reaches the database; later ones by an operator.
    """
    from db import changes, operators

    here, because, token = context(ctx), reason(why), fresh()
    with here.database().begin() as tx:
        first = operators.is_first(tx)
    by = here.actor if first else here.operator
    with here.database().begin() as tx:
        operators.add(tx, name, token, by=by)
        changes.note(tx, "operator.add", [name], who=by, why=because)
    tell("operator", name, token, "export BURSAR_OPERATOR_TOKEN=…", json=json)


@app.command("list")
@listing(columns=COLUMNS, key="name", read=word, empty=NOBODY)
def list_(
    ctx: typer.Context,
    asked: Asked[str],
    state: Annotated[OperatorState | None, STATE] = None,
) -> Found:
    """List operators, also those removed."""
    from db import operators

    with context(ctx).database().begin() as tx:
        return found(operators.listing(tx, state=state, after=asked.after, limit=asked.limit))


@app.command()
def remove(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="As `bursar operators list` shows it.")],
    why: Why,
) -> None:
    """Take an operator's rights away; history keeps the name."""
    from db import changes, operators

    here, because = context(ctx), reason(why)
    by = here.operator
    with here.database().begin() as tx:
        operators.remove(tx, name)
        changes.note(tx, "operator.remove", [name], who=by, why=because)
    typer.echo(f"{name} is an operator no more, says {by}")
