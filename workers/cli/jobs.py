"""`jobs`: what can be done, what waits for it, and who can do it."""

import typer

from workers.cli.context import context
from workers.cli.listing import Asked, Found, found, listing, word

app = typer.Typer(rich_markup_mode=None)


COLUMNS = (
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


@app.command()
@listing(columns=COLUMNS, key="job", read=word, empty="no jobs: run `bursar migrate`")
def jobs(ctx: typer.Context, asked: Asked[str]) -> Found:
    """List the jobs: what waits for each, and who can run it."""
    from db import run_listing
    from jobs.catalog import ALL

    triggerable = {job.name: job.triggerable for job in ALL}

    def told(row: dict[str, object]) -> dict[str, object]:
        return {**row, "triggerable": triggerable.get(str(row["job"]), False)}

    with context(ctx).database().begin() as tx:
        return found(run_listing.jobs(tx, after=asked.after, limit=asked.limit), told)
