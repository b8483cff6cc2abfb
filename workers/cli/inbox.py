"""`inbox …`: what providers told us, and what came of it."""

from typing import Annotated

import typer

from domain.inbox import APPLY, EVENTS
from workers.cli.asking import Why, reason, subject, wake
from workers.cli.context import context
from workers.cli.families import reading
from workers.cli.output import Json, show

app = reading(EVENTS, "What providers told us by webhook.")

MEANINGS = {
    "moved": "due now",
    "illegal": "replay is for FAILED events",
    "missing": "no such event",
    "busy": "a worker holds it: try again",
}


@app.command()
def replay(
    ctx: typer.Context,
    why: Why,
    events: Annotated[list[str], typer.Argument(help="Ids.", metavar="EVENT…")],
    json: Json = False,
) -> None:
    """Let FAILED events be applied again, once their cause is gone."""
    from db.inbox import replay as rows

    here, because = context(ctx), reason(why)
    ids = [subject(name, "EVENT") for name in events]
    with here.database().begin() as tx:
        moved = rows.replay(tx, ids, actor=here.actor, why=because)
    if any(m.outcome == "moved" for m in moved):
        wake(here, APPLY)
    told = [{"id": m.subject, "outcome": m.outcome, "meaning": MEANINGS[m.outcome]} for m in moved]
    show(told, ("id", "outcome", "meaning"), json=json)
    if any(m.outcome != "moved" for m in moved):
        raise typer.Exit(1)
