"""`findings …`: what needs a person, with its runbook."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import NotFoundError
from domain.findings import FindingKind, Severity
from domain.listings import FindingState
from workers.cli.asking import Why, dicts, reason
from workers.cli.context import Context, context
from workers.cli.listing import Asked, Found, found, listing, word
from workers.cli.output import JsonOne, show_one

if TYPE_CHECKING:
    from db.tx import Tx

app = typer.Typer(name="findings", help="What needs a person.", no_args_is_help=True)

Keys = Annotated[
    list[str], typer.Argument(metavar="KEY…", help="As `bursar findings list` shows them.")
]
COLUMNS = ("key", "severity", "state", "detail", "opened_at", "seen", "owner")


@app.command("list")
@listing(columns=COLUMNS, key="key", read=word, empty="nothing needs a person")
def list_(
    ctx: typer.Context,
    asked: Asked[str],
    state: Annotated[
        FindingState | None,
        typer.Option("--state", case_sensitive=False, help="Default: what is not resolved."),
    ] = None,
    severity: Annotated[
        Severity | None, typer.Option("--severity", case_sensitive=False, help="Only so grave.")
    ] = None,
    kind: Annotated[
        FindingKind | None, typer.Option("--kind", case_sensitive=False, help="Only of this kind.")
    ] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Taken by this person.")] = None,
) -> Found:
    """List findings, newest first."""
    from db import findings
    from db.findings import Filter

    which = Filter(
        state=state,
        severity=severity,
        kind=kind,
        owner=owner,
        after=asked.after,
        limit=asked.limit,
    )
    with context(ctx).database().begin() as tx:
        return found(findings.listing(tx, which))


@app.command("show")
def show_(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(help="As `bursar findings list` shows it.")],
    json: JsonOne = False,
) -> None:
    """Show one finding, and where its runbook is."""
    from db import findings

    with context(ctx).database().begin() as tx:
        row = findings.get(tx, key)
    if row is None:
        raise NotFoundError(f"there is no finding {key}")
    facts = dicts([row])[0]
    known = {kind.value: kind.runbook for kind in FindingKind}
    show_one({**facts, "runbook": known.get(row.kind)}, json=json)


@app.command()
def take(ctx: typer.Context, keys: Keys, why: Why) -> None:
    """Say that you look after findings: they are not alerted again."""
    from db import changes, findings

    here, because = context(ctx), reason(why)
    with here.database().begin() as tx:
        _check(tx, keys)
        done = findings.take(tx, keys, here.actor)
        changes.note(tx, "finding.take", done, who=here.actor, why=because)
    _tell(keys, done, f"taken by {here.actor}")


@app.command()
def resolve(ctx: typer.Context, keys: Keys, why: Why) -> None:
    """Close findings; what is still true opens again."""
    from db import changes, findings

    here, because = context(ctx), reason(why)
    with here.database().begin() as tx:
        _check(tx, keys)
        done = findings.resolve(tx, keys, by=here.actor, why=because)
        changes.note(tx, "finding.resolve", done, who=here.actor, why=because)
    _tell(keys, done, "resolved")


@app.command()
def mute(
    ctx: typer.Context,
    keys: Keys,
    why: Why,
    hours: Annotated[float, typer.Option("--hours", min=0.1, max=720, help="For how long.")] = 8.0,
) -> None:
    """Send no alert about findings for a while; they stay listed."""
    _mute(context(ctx), keys, reason(why), hours)


def _mute(here: Context, keys: list[str], why: str, hours: float) -> None:
    from db import changes, clock, findings

    with here.database().begin() as tx:
        _check(tx, keys)
        until = clock.now(tx) + timedelta(hours=hours)
        done = findings.mute(tx, keys, until=until, by=here.actor, why=why)
        changes.note(tx, "finding.mute", done, who=here.actor, why=why)
    _tell(keys, done, f"muted until {until:%Y-%m-%d %H:%M} UTC")


def _check(tx: "Tx", keys: list[str]) -> None:
    """Raise `NotFoundError` for a key of no finding: a typing error must not read as 'done already'."""
    from db import findings

    known = findings.known(tx, keys)
    missing = [key for key in keys if key not in known]
    if missing:
        raise NotFoundError(f"there is no finding {missing[0]}")


def _tell(keys: list[str], done: list[str], what: str) -> None:
    for key in keys:
        typer.echo(f"{key}: {what if key in done else 'not open'}")
    if len(done) < len(set(keys)):
        raise typer.Exit(1)
