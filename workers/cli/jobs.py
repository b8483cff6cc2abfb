"""`jobs`: what can be done, what waits for it, and who can do it."""

import typer

from workers.cli.asking import dicts
from workers.cli.context import context
from workers.cli.output import Csv, Json, show

app = typer.Typer(rich_markup_mode=None)


@app.command()
def jobs(ctx: typer.Context, json: Json = False, csv: Csv = False) -> None:
    """List the jobs: what waits for each, and who can run it."""
    from db import run_listing

    with context(ctx).database().begin() as tx:
        found = dicts(run_listing.jobs(tx))
    columns = (
        "job",
        "shape",
        "waiting",
        "due",
        "leased",
        "parked",
        "oldest_due_at",
        "running",
        "workers",
    )
    show(found, columns, json=json, csv=csv, empty="no jobs: run `bursar migrate`")
