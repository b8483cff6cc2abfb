"""`mail …`: what the local mail sink took, for people who try things out."""

from pathlib import Path
from typing import Annotated

import typer

from domain.errors import NotFoundError
from workers.cli.context import context
from workers.cli.listing import Limit
from workers.cli.output import Json, JsonOne, show, show_one

app = typer.Typer(name="mail", help="Read what the local mail sink took.", no_args_is_help=True)


@app.command("list")
def list_(ctx: typer.Context, limit: Limit = 50, json: Json = False) -> None:
    """List the mails that `bursar up` kept instead of sending, newest first."""
    from workers.mail import box

    rows = [one._asdict() for one in box.kept(Path(context(ctx).settings.home), limit)]
    show(rows, ("id", "at", "to", "subject"), json=json, empty="the sink took no mail yet")


@app.command("show")
def show_mail(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Id, as the listing shows it.", metavar="ID")],
    html: Annotated[
        bool, typer.Option("--html", help="Its HTML part instead of its text.")
    ] = False,
    json: JsonOne = False,
) -> None:
    """Show one mail as its reader sees it."""
    from workers.mail import box

    found = box.one(Path(context(ctx).settings.home), name)
    if found is None:
        raise NotFoundError(f"the sink took no mail {name}")
    head, text, page = found
    if json:
        show_one({**head._asdict(), "text": text, "html": page}, json=True)
        return
    show_one(head._asdict())
    typer.echo()
    typer.echo(page if html else text)
