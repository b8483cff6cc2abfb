"""`mails …`: what people are told by mail, and sending it again."""

from typing import Annotated, Final

import typer

from domain.mails import MAILS, SEND, MailState
from domain.switches import MAILS as SWITCH
from workers.cli.asking import Why, reason, wake
from workers.cli.context import Context, context
from workers.cli.families import reading
from workers.cli.output import Json, show

app = reading(MAILS, "What people are told by mail.")

MEANINGS: Final = {
    "moved": "is sent again, under a Message-ID of its own",
    "illegal": "only what is FAILED or UNSURE is sent again",
    "busy": "a worker holds it: try again",
    "missing": "no such mail",
}


@app.command()
def retry(
    ctx: typer.Context,
    why: Why,
    mails: Annotated[list[str], typer.Argument(help="Ids.", metavar="MAIL…")],
    json: Json = False,
) -> None:
    """Send mails again that FAILED, or that are UNSURE and surely did not arrive."""
    from db import subjects
    from db.mails.family import MAILS as FAMILY
    from db.transitions import unleased_move

    here, because = context(ctx), reason(why)
    with here.database().begin() as tx:
        ids = list(subjects.find(tx, mails, [FAMILY]).values())
        moved = unleased_move(
            tx, MAILS, ids, target=MailState.QUEUED, actor=here.actor, why=because
        )
    if any(one.outcome == "moved" for one in moved):
        wake(here, SEND)
    told = [{"id": m.subject, "outcome": m.outcome, "meaning": MEANINGS[m.outcome]} for m in moved]
    show(told, ("id", "outcome", "meaning"), json=json)
    if any(m.outcome != "moved" for m in moved):
        raise typer.Exit(1)


@app.command()
def on(ctx: typer.Context, why: Why) -> None:
    """Tell people by mail from now on; workers with BURSAR_SMTP_URL send it."""
    _turn(context(ctx), on=True, why=reason(why))


@app.command()
def off(ctx: typer.Context, why: Why) -> None:
    """Write no more mail from now on; what is written is still sent."""
    _turn(context(ctx), on=False, why=reason(why))


def _turn(here: Context, *, on: bool, why: str) -> None:
    from db import switches

    with here.database().begin() as tx:
        if not on:
            # Off for good needs a row that says so, or the next worker's start turns it on.
            switches.turn_on_first(tx, SWITCH, who=here.actor, why=why)
        turned = switches.turn(tx, SWITCH, on=on, who=here.actor, why=why)
    said = "on" if on else "off"
    typer.echo(f"{SWITCH} is {said}" + ("" if turned else " already"))
