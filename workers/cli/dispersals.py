"""`dispersals …`: read what each lender has of what obligations received, and how that was calculated."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from domain.dispersals import DISPERSALS
from workers.cli.asking import dicts
from workers.cli.context import context
from workers.cli.families import listed
from workers.cli.output import JsonOne, Row
from workers.cli.showing import display, look

app = listed(DISPERSALS, "Read dispersals, and how they were calculated.")


@app.command()
def show(
    ctx: typer.Context,
    dispersal: Annotated[str, typer.Argument(help="Id of a dispersal.")],
    json: JsonOne = False,
) -> None:
    """Show one dispersal, the calculation behind it with all it was made from, and its history.

    What was received, the fee, the terms and positions as they were then, and every lender's share.
    """
    from db.dispersals.calculations import behind

    with context(ctx).database().begin() as tx:
        seen = look(tx, DISPERSALS, dispersal)
        made = behind(tx, seen.id)
    more: dict[str, Row | Sequence[Row]] = {
        "calculation": {**dicts([made.run])[0], **made.terms},
        "positions": made.positions,
        "reroutes": made.reroutes,
        "shares": dicts(made.shares),
    }
    display(replace(seen, more={**more, **seen.more}), json=json)
