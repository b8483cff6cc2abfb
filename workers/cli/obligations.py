"""`obligations …`: read what borrowers owe, and say of one what another system left out."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from domain.obligations import CREATE, OBLIGATIONS
from workers.cli.asking import Why, reason, wake
from workers.cli.context import context
from workers.cli.families import reading

if TYPE_CHECKING:
    from db.tx import Tx

app = reading(OBLIGATIONS, "Read obligations, and say what another system left out of one.")

Obligation = Annotated[str, typer.Argument(help="Id or external id of an obligation.")]


@app.command()
def date(
    ctx: typer.Context,
    obligation: Obligation,
    on: Annotated[str, typer.Option("--on", help="The day, such as 2026-03-20.")],
    why: Why,
) -> None:
    """Say when an obligation was settled of which nobody did; it is divided then."""
    from db import changes, subjects
    from db.obligations.dating import date as dated
    from db.obligations.family import OBLIGATIONS as FAMILY
    from domain.errors import BadInputError
    from domain.line_rules import day_rule

    here, because = context(ctx), reason(why)
    if (rule := day_rule(on)) is not None:
        raise BadInputError("--on", on, rule)
    day = dt.date.fromisoformat(on)

    def work(tx: "Tx") -> None:
        id_ = subjects.find(tx, [obligation], [FAMILY])[obligation]
        dated(tx, id_, day, actor=here.actor, why=because)
        changes.note(tx, "obligation.date", [obligation], who=here.actor, why=f"{on}: {because}")

    here.database().transact(work)
    wake(here, CREATE)
    typer.echo(f"obligation {obligation} was settled on {on}")
