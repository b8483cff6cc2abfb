"""`workers …`: processes that run jobs."""

from typing import Annotated

import typer

from domain.listings import WorkerState
from workers.cli.context import context
from workers.cli.listing import STATE, Asked, Found, found, listing, word

app = typer.Typer(name="workers", help="Processes that run jobs.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep `list` a command of its own."""


COLUMNS = ("id", "state", "version", "knows", "leases", "beat_at", "last_claim_at", "started_at")


@app.command("list")
@listing(columns=COLUMNS, key="id", read=word, empty="no such worker: `bursar worker` starts one")
def list_(
    ctx: typer.Context,
    asked: Asked[str],
    state: Annotated[WorkerState | None, STATE] = None,
) -> Found:
    """List processes: version, host, how many jobs they know (--json: which), when they last claimed."""
    from db import workers as registry

    def told(row: dict[str, object]) -> dict[str, object]:
        jobs = row["jobs"]
        return {**row, "knows": len(jobs) if isinstance(jobs, list) else 0}

    with context(ctx).database().begin() as tx:
        page = registry.listing(tx, state=state, after=asked.after, limit=asked.limit)
        return found(page, told)
