"""`migrate` and `doctor`: what makes an installation right, and what says whether it is."""

from typing import Annotated

import typer

from domain.errors import UnreachableError
from workers.cli.context import Context, context
from workers.cli.output import Json, JsonOne, show, show_one

app = typer.Typer(rich_markup_mode=None)


@app.command()
def migrate(ctx: typer.Context, json: JsonOne = False) -> None:
    """Bring the schema to head.

    Binds the database to the provider account of the settings.
    """
    from workers.databases import open_database
    from workers.releasing import release_database

    here = context(ctx)
    database = open_database(
        here.settings, here.addresses, role=None, application="bursar migrate", pool_max=1
    )
    try:
        made = release_database(database, here.settings, here.addresses)
    finally:
        database.dispose()
    show_one(
        {
            "schema": here.settings.database_schema,
            "installation": made.id,
            "provider": made.provider,
            "account": made.account,
        },
        json=json,
    )


@app.command()
def doctor(
    ctx: typer.Context,
    live: Annotated[
        bool, typer.Option("--live", help="Also make one harmless call to the provider.")
    ] = False,
    processes: Annotated[
        int, typer.Option("--processes", min=1, help="How many processes share the database.")
    ] = 4,
    rebind: Annotated[
        bool,
        typer.Option("--rebind", help="Propose to bind the database to the account now set."),
    ] = False,
    why: Annotated[str, typer.Option("--why", help="Why, for --rebind.")] = "",
    json: Json = False,
) -> None:
    """Check settings, servers and clocks; exit 1 on a fault."""
    from workers.doctor import Grade, examine
    from workers.logs import configure

    here = context(ctx)
    if rebind:
        _propose_rebinding(here, why)
        return
    if live:
        configure(here.settings)  # what its clients log is no part of what is shown
    found = examine(here.environ, here.home, live=live, processes=processes)
    rows = [
        {"subject": c.subject, "grade": c.grade.value, "detail": c.detail, "source": c.source}
        for c in found
    ]
    show(rows, ["grade", "subject", "source", "detail"], json=json)
    if any(c.grade is Grade.AWAY for c in found):
        raise typer.Exit(UnreachableError.exit_code)
    if any(c.grade is Grade.FAULT for c in found):
        raise typer.Exit(1)


def _propose_rebinding(here: Context, why: str) -> None:
    """Write down that this database shall serve another account; a second person must approve."""
    from db import proposals
    from domain.errors import BadInputError
    from workers.releasing import account_to_bind

    if not why.strip():
        raise BadInputError("--why", why, "must say why the effects of this database move")
    bound = account_to_bind(here.settings, here.addresses)
    if bound is None:
        raise BadInputError("BURSAR_PAYOUT_PROVIDER", "", "must name the provider to bind to")
    provider, account = bound
    with here.database().begin() as tx:
        number = proposals.propose(
            tx,
            "provider.rebind",
            f"{provider}:{account}",
            {"provider": provider, "account": account},
            by=here.operator,
            why=why,
        )
    typer.echo(f"proposed as {number}: another operator runs `bursar approve {number}`")
