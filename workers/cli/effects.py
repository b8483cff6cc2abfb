"""`effects …`: what was tried outside."""

from typing import Annotated
from uuid import UUID

import typer

from domain.effects import EffectState
from domain.errors import NotFoundError
from workers.cli.asking import Why, dicts, reason, subject
from workers.cli.context import context
from workers.cli.listing import STATE, Asked, Found, found, listing
from workers.cli.output import JsonOne, plain, show, show_one

app = typer.Typer(name="effects", help="What was tried outside.", no_args_is_help=True)


Key = Annotated[str, typer.Argument(help="An effect's key, as `bursar effects list` shows it.")]
COLUMNS = ("key", "kind", "subject", "state", "sends", "provider_id", "status", "error")


@app.command("list")
@listing(columns=COLUMNS, key="key", read=subject, empty="no such effect")
def list_effects(
    ctx: typer.Context,
    asked: Asked[UUID],
    state: Annotated[EffectState | None, STATE] = None,
) -> Found:
    """List effects whose subjects still wait for a job."""
    from db import effect_listing

    with context(ctx).database().begin() as tx:
        page = effect_listing.listing(tx, state=state, after=asked.after, limit=asked.limit)
        return found(page)


@app.command("show")
def show_effect(ctx: typer.Context, key: Key, json: JsonOne = False) -> None:
    """Show one effect: its frozen request, and everything that was answered."""
    from db import effects as rows

    with context(ctx).database().begin() as tx:
        row = rows.get(tx, subject(key, "KEY"))
        if row is None:
            raise NotFoundError(f"there is no effect {key}")
        answers = dicts(rows.answers(tx, row.key))
    facts = dicts([row])[0]
    if json:
        show_one({**facts, "answers": [plain(answer) for answer in answers]}, json=True)
        return
    show_one(facts)
    typer.echo()
    show(answers, ("at", "answer", "detail", "run", "moved"), empty="nothing was answered")


@app.command("resolve")
def resolve_effect(ctx: typer.Context, key: Key, why: Why, json: JsonOne = False) -> None:
    """Ask the provider about an effect in doubt, and settle its payout on its word."""
    from db import effects as rows
    from workers.cli.resolving import by_provider

    here, because = context(ctx), reason(why)
    with here.database().begin() as tx:
        row = rows.get(tx, subject(key, "KEY"))
    if row is None:
        raise NotFoundError(f"there is no effect {key}")
    show_one(by_provider(here, str(row.subject), f"{here.actor}: {because}"), json=json)
