"""`applications …`: which programs may ask over HTTP, and for what."""

from typing import Annotated

import typer

from domain.errors import BadInputError
from domain.listings import OperatorState
from workers.cli.asking import Why, known_job, reason
from workers.cli.context import context
from workers.cli.listing import STATE, Asked, Found, found, listing, word
from workers.cli.output import Json, JsonOne, show
from workers.cli.tokens import fresh, tell

app = typer.Typer(
    name="applications", help="Which programs may ask over HTTP.", no_args_is_help=True
)

COLUMNS = ("name", "state", "scopes", "added_by", "added_at", "removed_at")
OPERATION_COLUMNS = ("operation", "actor", "limit", "a_minute", "changes")
NOBODY = "no such application: `bursar applications add NAME --operation OPERATION --why …`"


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="How history will name it.")],
    why: Why,
    jobs: Annotated[
        list[str] | None,
        typer.Option("--job", help="A job it may ask for: `bursar jobs`; repeatable."),
    ] = None,
    operations: Annotated[
        list[str] | None,
        typer.Option(
            "--operation",
            help="An operation it may ask for: `bursar applications operations`; repeatable.",
        ),
    ] = None,
    json: JsonOne = False,
) -> None:
    """Let a program ask for runs of jobs, and for operations; its token is printed once, and only its hash is kept."""
    from db import applications, changes

    here, because, token = context(ctx), reason(why), fresh()
    scopes = _scopes(jobs or [], operations or [])
    with here.database().begin() as tx:
        applications.add(tx, name, token, scopes, by=here.actor)
        changes.note(tx, "application.add", [name], who=here.actor, why=because)
    tell("application", name, token, "curl -H 'Authorization: Bearer …'", json=json)


def _scopes(jobs: list[str], operations: list[str]) -> list[str]:
    """What an application may ask for. Raises `BadInputError` for what cannot be, or for nothing."""
    from workers.web.operations import catalog

    for job in jobs:
        if not known_job(job, "--job").triggerable:
            raise BadInputError("--job", job, "runs of this job cannot be asked for over HTTP")
    for operation in operations:
        catalog.known(operation, "--operation")
    if not jobs and not operations:
        raise BadInputError("--job", "", "must name a job, or --operation an operation")
    return [*jobs, *operations]


@app.command()
def operations(json: Json = False) -> None:
    """List the operations that applications may ask for, with how often one actor may."""
    from workers.web.operations.catalog import ALL

    rows = [
        {
            "operation": one.name,
            "actor": one.actor.value,
            "limit": one.bucket.name,
            "a_minute": one.bucket.limit.amount,
            "changes": not one.is_reading,
        }
        for one in ALL
    ]
    show(rows, OPERATION_COLUMNS, key="operation", json=json)


@app.command("list")
@listing(columns=COLUMNS, key="name", read=word, empty=NOBODY)
def list_(
    ctx: typer.Context,
    asked: Asked[str],
    state: Annotated[OperatorState | None, STATE] = None,
) -> Found:
    """List applications, also those removed."""
    from db import applications

    with context(ctx).database().begin() as tx:
        return found(applications.listing(tx, state=state, after=asked.after, limit=asked.limit))


@app.command()
def remove(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="As `bursar applications list` shows it.")],
    why: Why,
) -> None:
    """Let a program's token open nothing from now on; history keeps the name."""
    from db import applications, changes

    here, because = context(ctx), reason(why)
    with here.database().begin() as tx:
        applications.remove(tx, name)
        changes.note(tx, "application.remove", [name], who=here.actor, why=because)
    typer.echo(f"{name} may ask for nothing any more, says {here.actor}")
