"""`runs`, `run`, `retry`, `cancel`: what ran, and what is to run again or not at all."""

from typing import Annotated

import typer

from domain.errors import NotFoundError, RefusedError
from domain.runs import RunState
from domain.tally import Count
from workers.cli.asking import (
    NUMBER_MAX,
    Why,
    dicts,
    known_job,
    number,
    reason,
    ring,
)
from workers.cli.context import context
from workers.cli.listing import STATE, Asked, Found, found, listing
from workers.cli.output import JsonOne, plain, show, show_one

app = typer.Typer(rich_markup_mode=None)

Run = Annotated[int, typer.Argument(help="The run's number.", min=1, max=NUMBER_MAX)]


COLUMNS = ("id", "job", "state", "origin", "started_at", "ended_at", "done", "reason")


@app.command()
@listing(columns=COLUMNS, key="id", read=number, empty="no such run")
def runs(
    ctx: typer.Context,
    asked: Asked[int],
    state: Annotated[RunState | None, STATE] = None,
    job: Annotated[str | None, typer.Option("--job", help="Only this job.")] = None,
) -> Found:
    """List runs, newest first."""
    from db import run_listing
    from db.run_listing import RunPage

    if job is not None:
        known_job(job)
    page = RunPage(state=state, job=job, after=asked.after, limit=asked.limit)
    with context(ctx).database().begin() as tx:
        return found(run_listing.listing(tx, page), _with_counts)


def _with_counts(row: dict[str, object]) -> dict[str, object]:
    """Return a run with its tally as flat counts, and in words."""
    tally = row.pop("tally")
    counts = tally if isinstance(tally, dict) else {}
    done = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    return {**row, "done": done, **{count.value: counts.get(count.value, 0) for count in Count}}


@app.command()
def run(ctx: typer.Context, run: Run, json: JsonOne = False) -> None:
    """Show one run: its attempts, its tally, what it moved."""
    from db import run_listing

    with context(ctx).database().begin() as tx:
        row = run_listing.show(tx, run)
        if row is None:
            raise NotFoundError(f"there is no run {run}")
        attempts, moves = dicts(run_listing.attempts(tx, run)), dicts(run_listing.moves(tx, row))
    facts = dicts([row])[0]
    if json:
        more = {"attempts_made": [plain(a) for a in attempts], "moves": [plain(m) for m in moves]}
        show_one({**facts, **more}, json=True)
        return
    show_one({name: value for name, value in facts.items() if value is not None})
    for title, rows in (("attempts", attempts), ("moves", moves)):
        if rows:
            typer.echo(f"\n{title}")
            show(rows, tuple(rows[0]))


@app.command()
def retry(ctx: typer.Context, run: Run, why: Why, json: JsonOne = False) -> None:
    """Queue an ended run again, as the same run.

    For sweeps and what operators asked for; the items of other jobs come back by themselves.
    """
    from db import run_listing, run_states as rows

    here, because = context(ctx), reason(why)
    with here.database().begin() as tx:
        made = rows.requeue(tx, [run])
        if not made:
            raise _not_retried(rows.get(tx, run), run)
        run_listing.note(tx, [run], actor=here.actor, why=because)
    ring(here, made)
    show_one({"run": run, "state": RunState.QUEUED.value}, json=json)


@app.command()
def cancel(ctx: typer.Context, run: Run, why: Why, json: JsonOne = False) -> None:
    """Cancel a run that has not started."""
    from db import run_states as rows

    here, because = context(ctx), reason(why)
    with here.database().begin() as tx:
        if not rows.cancel(tx, [run], f"{here.actor}: {because}"):
            found = rows.get(tx, run)
            if found is None:
                raise NotFoundError(f"there is no run {run}")
            raise RefusedError(
                f"run {run} is {found.state}: only what has not started is cancelled"
            )
    show_one({"run": run, "state": RunState.CANCELLED.value}, json=json)


def _not_retried(found: object, run: int) -> NotFoundError | RefusedError:
    if found is None:
        return NotFoundError(f"there is no run {run}")
    state, origin = getattr(found, "state", None), getattr(found, "origin", None)
    if origin == "wake":
        return RefusedError(
            f"run {run} was a wake-up: its items carry the retries, see `bursar work`"
        )
    return RefusedError(f"run {run} is {state}: only failed, crashed or stopped runs are retried")
