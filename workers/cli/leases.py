"""`leases …`: what is held, by whom, until when."""

from typing import Annotated

import typer

from domain.errors import NotFoundError, RefusedError
from domain.listings import LeaseState
from workers.cli.asking import Why, reason
from workers.cli.context import context
from workers.cli.listing import STATE, Asked, Found, found, listing, word

app = typer.Typer(name="leases", help="What is held, by whom, until when.", no_args_is_help=True)


COLUMNS = ("name", "state", "holder", "worker", "leased_until", "acquired_at", "token")


@app.command("list")
@listing(columns=COLUMNS, key="name", read=word, empty="nothing is held")
def list_leases(
    ctx: typer.Context,
    asked: Asked[str],
    state: Annotated[LeaseState | None, STATE] = None,
) -> Found:
    """List leases on named things: runs and jobs."""
    from db import leases as rows

    with context(ctx).database().begin() as tx:
        return found(rows.listing(tx, state=state, after=asked.after, limit=asked.limit))


@app.command("break")
def break_(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Such as job:upkeep.audit.")],
    why: Why,
) -> None:
    """Drop a lease whose time is over.

    A live one is never broken: its holder acts on it. It ends by itself within seconds of its end.
    """
    from db import changes, leases as rows

    here, because = context(ctx), reason(why)
    with here.database().begin() as tx:
        if not rows.break_expired(tx, name):
            if rows.exists(tx, name):
                raise RefusedError(f"lease {name} is live: a live lease is never broken")
            raise NotFoundError(f"there is no lease {name}")
        changes.note(tx, "lease.break", [name], who=here.actor, why=because)
    typer.echo(f"{name} is free, says {here.actor}: {because}")
