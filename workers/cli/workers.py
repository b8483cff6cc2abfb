"""`workers …`: processes that run jobs."""

import typer

from workers.cli.asking import dicts
from workers.cli.context import context
from workers.cli.output import Csv, Json, show

app = typer.Typer(name="workers", help="Processes that run jobs.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep `list` a command of its own."""


@app.command("list")
def list_(ctx: typer.Context, json: Json = False, csv: Csv = False) -> None:
    """List processes: version, host, what they know, when they last claimed."""
    from db import workers as registry

    with context(ctx).database().begin() as tx:
        found = dicts(registry.listing(tx))
    columns = ("id", "state", "version", "jobs", "leases", "beat_at", "last_claim_at", "started_at")
    show(found, columns, json=json, csv=csv, empty="no worker: `bursar worker`")
