"""`work …`: what waits, since when and why."""

from typing import Annotated
from uuid import UUID

import typer

from domain.errors import BadInputError
from domain.listings import WorkState
from workers.cli.asking import Why, known_job, reason, subject, wake
from workers.cli.context import context
from workers.cli.listing import STATE, Asked, Found, found, listing
from workers.cli.output import Json, show

app = typer.Typer(name="work", help="What waits, and what is parked.", invoke_without_command=True)

UNPARK_MAX = 10_000
COLUMNS = (
    "subject",
    "job",
    "state",
    "due_at",
    "holder",
    "tries",
    "parked_reason",
    "last_error",
)


@app.callback()
@listing(columns=COLUMNS, key="subject", read=subject, empty="nothing waits")
def list_(
    ctx: typer.Context,
    asked: Asked[UUID],
    state: Annotated[WorkState | None, STATE] = None,
    parked: Annotated[bool, typer.Option("--parked", help="Short for --state parked.")] = False,
    job: Annotated[str | None, typer.Option("--job", help="Only this job.")] = None,
) -> Found:
    """List work rows: due, delayed, leased or parked."""
    from db import work_listing
    from db.work_listing import WorkPage

    if job is not None:
        known_job(job)
    if parked and state not in {None, WorkState.PARKED}:
        raise BadInputError("--state", state, "must be parked, or go, beside --parked")
    wanted = WorkState.PARKED if parked else state
    page = WorkPage(job=job, state=wanted, after=asked.after, limit=asked.limit)
    with context(ctx).database().begin() as tx:
        return found(work_listing.listing(tx, page))


@app.command()
def unpark(
    ctx: typer.Context,
    why: Why,
    subjects: Annotated[
        list[str] | None, typer.Argument(metavar="SUBJECT…", help="As `bursar work` shows them.")
    ] = None,
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
