"""`work …`: what waits, since when and why."""

from typing import Annotated

import typer

from domain.errors import BadInputError
from workers.cli.asking import After, Why, dicts, known_job, reason, subject, wake
from workers.cli.context import context
from workers.cli.output import Csv, Json, Limit, show

app = typer.Typer(name="work", help="What waits, and what is parked.", invoke_without_command=True)

Job = Annotated[str | None, typer.Option("--job", help="Only this job.")]
UNPARK_MAX = 10_000


@app.callback()
def list_(
    ctx: typer.Context,
    parked: Annotated[bool, typer.Option("--parked", help="Only what waits for a person.")] = False,
    job: Job = None,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """List work rows: due, delayed, leased or parked. --after takes a subject."""
    from db import work_listing
    from db.work_listing import WorkPage

    if ctx.invoked_subcommand is not None:
        return
    if job is not None:
        known_job(job)
    start = None if after is None else subject(after, "--after")
    page = WorkPage(job=job, parked=parked, after=start, limit=limit)
    with context(ctx).database().begin() as tx:
        found = dicts(work_listing.listing(tx, page))
    columns = (
        "subject",
        "job",
        "state",
        "due_at",
        "holder",
        "tries",
        "parked_reason",
        "last_error",
    )
    show(found, columns, json=json, csv=csv, empty="nothing waits")


@app.command()
def unpark(
    ctx: typer.Context,
    why: Why,
    subjects: Annotated[list[str] | None, typer.Argument(metavar="SUBJECT…")] = None,
    job: Annotated[
        str | None, typer.Option("--job", help="All that is parked of this job.")
    ] = None,
    json: Json = False,
) -> None:
    """Make parked work due again, once its cause is gone.

    Subjects are named by their id or external id.
    """
    from db import subjects as named_subjects, work_listing

    here, because = context(ctx), reason(why)
    if bool(subjects) == bool(job):
        raise BadInputError("work unpark", " ".join(subjects or ()), "name subjects, or a --job")
    if job is not None:
        known_job(job)
    with here.database().begin() as tx:
        named = named_subjects.find(tx, subjects or ())
        ids = work_listing.parked(tx, job, UNPARK_MAX) if job else list(named.values())
        freed = {
            row.subject: row.job
            for row in work_listing.unpark(tx, ids, actor=here.actor, why=because)
        }
    for name in sorted(set(freed.values())):
        wake(here, name)
    rows = [
        {"subject": id_, "job": freed.get(id_), "outcome": "due" if id_ in freed else "not parked"}
        for id_ in ids
    ]
    show(rows, ("subject", "job", "outcome"), json=json, empty="nothing is parked")
    if len(freed) < len(ids):
        raise typer.Exit(1)
