"""`enqueue JOB`: one run, asked for by hand or by a timer of somebody else's."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from domain.errors import BadInputError
from workers.cli.asking import At, known_job, moment, reason, ring, say
from workers.cli.context import Context, context
from workers.cli.output import JsonOne, show_one

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from db.runs import Enqueued
    from jobs.shapes import Job

app = typer.Typer(rich_markup_mode=None)

KEY_CHARS_MAX = 200

Scopes = Annotated[
    list[str] | None, typer.Option("--scope", metavar="K=V", help="Only this; repeatable.")
]
Key = Annotated[str | None, typer.Option("--key", help="The same key is the same run, for ever.")]
Because = Annotated[str | None, typer.Option("--why", help="Why; kept on the run.")]
Wait = Annotated[bool, typer.Option("--wait", help="Until what is due now is done.")]
Timeout = Annotated[
    float, typer.Option("--timeout", min=1, max=86_400, help="Seconds to wait at most.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be claimed; write nothing.")
]
Inline = Annotated[
    bool, typer.Option("--inline", help="Run it in this process, under the same leases.")
]
Outputs = Annotated[
    Path | None,
    typer.Option("--outputs", envvar="GITHUB_OUTPUT", help="Append key=value lines here."),
]


@app.command()
def enqueue(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(help="The job's name: `bursar jobs` lists them.")],
    scope: Scopes = None,
    key: Key = None,
    at: At = None,
    why: Because = None,
    wait: Wait = False,
    timeout: Timeout = 300.0,
    dry_run: DryRun = False,
    inline: Inline = False,
    outputs: Outputs = None,
    json: JsonOne = False,
) -> None:
    """Put a run of a job on record.

    Exit codes with --wait: 0 done, nothing to do, in other hands, or held (said so); 1 something is
    wrong; 3 no live worker knows the job.
    """
    from workers.cli.reporting import Asked, append
    from workers.cli.waiting import wait_for

    here = context(ctx)
    kind = known_job(job, "JOB")
    due = moment(at)
    because = None if why is None else reason(why)
    _check(key, outputs)
    wanted, only = _scope(here, kind, scope or ())
    if dry_run:
        _foresee(here, kind, wanted, only, json=json)
        return
    if inline and due is not None:
        raise BadInputError("--at", at, "cannot be joined with --inline, which runs at once")
    made = _put(here, kind, wanted, key=key, due=due, why=because)
    if not made.is_new:
        say(f"run {made.id} has this key already")
    if not wait and not inline:
        ring(here, [(made.id, kind.queue.value)])
        told: dict[str, object] = {"run": made.id, "job": kind.name, "is_new": made.is_new}
        show_one(told, json=json)
        if outputs is not None:
            append(outputs, told)
        return
    asked = Asked(
        run=made.id,
        job=kind,
        only=only,
        is_new=made.is_new,
        timeout_seconds=timeout,
        inline=inline,
    )
    code = wait_for(here, asked, outputs=outputs, json=json)
    if code:
        raise typer.Exit(code)


def _check(key: str | None, outputs: Path | None) -> None:
    """Refuse what would go wrong only after a run is on record."""
    if key is not None and not (key.strip() and key.isprintable() and len(key) <= KEY_CHARS_MAX):
        rule = f"must be 1 to {KEY_CHARS_MAX} printable characters: is a variable empty?"
        raise BadInputError("--key", key, rule)
    if outputs is not None:
        try:
            outputs.open("a", encoding="utf-8").close()
        except OSError as error:
            rule = f"cannot be written: {error.strerror}"
            raise BadInputError("--outputs", str(outputs), rule) from error


def _put(
    here: Context,
    job: "type[Job]",
    scope: "dict[str, Any]",
    *,
    key: str | None,
    due: "datetime | None",
    why: str | None,
) -> "Enqueued":
    """Enqueue; a twin that was committed a moment ago is visible to the second look."""
    from db import runs
    from db.runs import Request
    from domain.runs import Origin

    request = Request(
        job=job.name,
        queue=job.queue.value,
        version=job.version,
        origin=Origin.OPERATOR,
        scope=scope,
        key=key,
        due_at=due,
        requested_by=here.actor,
        why=why,
    )
    for _ in range(2):
        made = here.database().transact(lambda tx: runs.enqueue(tx, [request]))
        if made:
            return made[0]
    raise AssertionError("a request is a run, new or old")


def _scope(
    here: Context, job: "type[Job]", texts: Sequence[str]
) -> "tuple[dict[str, Any], list[UUID] | None]":
    """Return the scope as it is kept, and the subjects it names (None: everything that is due)."""
    named: dict[str, list[str]] = {}
    options: dict[str, Any] = {}
    for text in texts:
        name, is_pair, value = text.partition("=")
        if is_pair and value and name in job.scope_keys:
            named.setdefault(name, []).append(value)
        elif value in job.options.get(name, ()):
            options[name] = value
        else:
            raise BadInputError("--scope", text, f"{job.name} can be given {_choices(job)}")
    if not named:
        return options, None
    from workers.scopes import resolve

    with here.database().begin() as tx:
        wanted, only = resolve(tx, named)
    return options | wanted, only


def _choices(job: "type[Job]") -> str:
    """What a scope of `job` may say."""
    narrowing = [f"{name}=…" for name in sorted(job.scope_keys)]
    chosen = [f"{name}={'|'.join(values)}" for name, values in sorted(job.options.items())]
    return ", ".join([*narrowing, *chosen]) or "nothing"


def _foresee(
    here: Context,
    job: "type[Job]",
    scope: "dict[str, Any]",
    only: "list[UUID] | None",
    *,
    json: bool,
) -> None:
    from db import run_progress, waiting
    from jobs.ports import Ports
    from workers.composition import batch_policy

    made = job.made(Ports(batch=batch_policy(here.settings)))
    with here.database().begin() as tx:
        foreseen = None if made is None else made.foresee(tx, scope)
        if foreseen is not None:
            show_one({"job": job.name, **foreseen, "dry_run": True}, json=json)
            return
        rows = run_progress.would_claim(tx, job.name, only)
        reasons = {} if only is None else waiting.why_not_claimed(tx, job.name, only)
    items = sum(row.items for row in rows)
    facts: dict[str, object] = {"job": job.name, "would_claim": items, "dry_run": True}
    for row in rows:
        if row.currency is not None:
            facts[f"amount_minor_{row.currency}"] = row.amount_minor
            facts[f"largest_minor_{row.currency}"] = row.largest_minor
    show_one(facts, json=json)
    for subject, hindrance in reasons.items():
        if items < len(reasons):
            say(f"{subject}: {hindrance}")
    if only and not items:
        raise typer.Exit(1)
