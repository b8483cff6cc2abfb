"""`dispersals …`: read what each lender has of what obligations received, and have one paid again that failed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from domain.dispersals import DISBURSE, DISPERSALS
from workers.cli.asking import Why, dicts, reason, wake
from workers.cli.context import context
from workers.cli.families import listed
from workers.cli.output import JsonOne, Row
from workers.cli.showing import display, look

if TYPE_CHECKING:
    from db.tx import Tx

app = listed(DISPERSALS, "Read dispersals, and have one paid again that failed.")


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


@app.command()
def retry(
    ctx: typer.Context,
    dispersal: Annotated[str, typer.Argument(help="Id of a dispersal.")],
    why: Why,
) -> None:
    """Have a FAILED dispersal paid by a new payout, once what stood in its way is put right."""
    from db import changes, subjects
    from db.dispersals.family import DISPERSALS as FAMILY
    from db.dispersals.retrying import retry as retried

    here, because = context(ctx), reason(why)

    def work(tx: "Tx") -> None:
        id_ = subjects.find(tx, [dispersal], [FAMILY])[dispersal]
        retried(tx, id_, actor=here.actor, why=because)
        changes.note(tx, "dispersal.retry", [dispersal], who=here.actor, why=because)

    here.database().transact(work)
    wake(here, DISBURSE)
    typer.echo(f"dispersal {dispersal} is paid by a new payout")
