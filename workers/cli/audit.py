"""`audit`: every promise about the data, checked from the rows themselves."""

import typer

from workers.cli.context import context
from workers.cli.output import Json, show

app = typer.Typer(rich_markup_mode=None)


@app.command()
def audit(ctx: typer.Context, json: Json = False) -> None:
    """Check every promise about books, payouts, effects and work; exit 1 where one is broken."""
    from db import audit as audits
    from workers.cli.output import progress

    here = context(ctx)
    with progress("audit", len(audits.INVARIANTS)) as done:
        results = audits.run(here.database(), told=lambda _: done(1))
    rows = [
        {
            "name": result.name,
            "holds": result.holds,
            "looked_at": result.looked_at,
            "broken": result.found,
            "promise": result.promise,
            "offences": [f"{o.subject}: {o.detail}" for o in result.offences],
        }
        for result in results
    ]
    show(rows, ["holds", "looked_at", "broken", "name", "promise"], json=json)
    for result in results:
        for offence in result.offences:
            typer.echo(f"{result.name}: {offence.subject}: {offence.detail}", err=True)
        if result.found > len(result.offences):
            typer.echo(f"{result.name}: and {result.found - len(result.offences)} more", err=True)
    if not all(result.holds for result in results):
        raise typer.Exit(1)
