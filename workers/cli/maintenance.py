"""`maintenance …`: stop taking work without stopping anything, and every other switch."""

import threading
import time
from typing import Annotated

import typer

from domain.listings import SwitchState
from domain.switches import MAINTENANCE, RESTORED, check_name, while_on
from workers.cli.asking import Why, ending, number, reason, ring, say
from workers.cli.context import Context, context
from workers.cli.listing import Asked, Found, found, listing, word

app = typer.Typer(name="maintenance", help="Stop taking work, and go on.", no_args_is_help=True)

LOOK_SECONDS = 0.2
TURNED = ("id", "at", "switch", "is_on", "who", "why")
COLUMNS = ("switch", "state", "while_on", "who", "why", "at", "until")
Until = Annotated[str | None, typer.Option("--until", help="ISO 8601 with its zone.")]
Switch = Annotated[
    str,
    typer.Argument(
        help="maintenance, job:NAME, queue:NAME, schedule:NAME or brake:PROVIDER:ACCOUNT."
    ),
]


@app.command()
def on(
    ctx: typer.Context,
    why: Why,
    until: Until = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return when nothing is in flight.")] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, max=86_400, help="Seconds to wait at most.")
    ] = 120.0,
) -> None:
    """Record times as held and let workers claim nothing more."""
    here = context(ctx)
    turn(here, MAINTENANCE, on=True, why=why, until=until)
    if wait:
        _until_quiet(here, timeout)


@app.command()
def off(ctx: typer.Context, why: Why) -> None:
    """Go on; what was held back is queued."""
    from db import run_states

    here = context(ctx)
    turn(here, MAINTENANCE, on=False, why=why)
    with here.database().begin() as tx:
        freed = run_states.unhold(tx)
    ring(here, freed)
    if freed:
        typer.echo(f"{len(freed)} runs that were held back are queued")


@app.command()
@listing(
    columns=COLUMNS,
    key="switch",
    read=word,
    empty="no such switch (--state all: also those that were on once)",
)
def status(
    ctx: typer.Context,
    asked: Asked[str],
    state: Annotated[
        SwitchState,
        typer.Option("--state", case_sensitive=False, help="all: also those that were on once."),
    ] = SwitchState.ON,
) -> Found:
    """List the switches that are on and what each does, and say what is in flight."""
    from db import switches, work_listing

    def told(row: dict[str, object]) -> dict[str, object]:
        return {**row, "while_on": while_on(str(row["switch"]))}

    with context(ctx).database().begin() as tx:
        is_on = switches.is_on(tx, MAINTENANCE)
        page = found(switches.listing(tx, state=state, after=asked.after, limit=asked.limit), told)
        flying = work_listing.in_flight(tx)
    said = "on" if is_on else "off"
    say(f"maintenance is {said}; in flight: {flying.runs} runs, {flying.items} items")
    return page


@app.command()
@listing(columns=TURNED, key="id", read=number, empty="it was never turned")
def history(ctx: typer.Context, asked: Asked[int], switch: Switch) -> Found:
    """List who turned one switch, when and why, newest first."""
    from db import switches

    name = check_name(switch)
    with context(ctx).database().begin() as tx:
        return found(switches.history(tx, name, after=asked.after, limit=asked.limit))


@app.command()
def hold(ctx: typer.Context, switch: Switch, why: Why, until: Until = None) -> None:
    """Turn one switch on: hold back a job, a queue, a schedule or a provider."""
    turn(context(ctx), switch, on=True, why=why, until=until)


@app.command()
def release(ctx: typer.Context, switch: Switch, why: Why) -> None:
    """Turn one switch off."""
    if switch == RESTORED:
        raise typer.BadParameter(
            "after a restore, effects are compared first: bursar reconcile effects"
        )
    turn(context(ctx), switch, on=False, why=why)


def turn(here: Context, name: str, *, on: bool, why: str, until: str | None = None) -> None:
    """Turn a switch, and say how it stands."""
    from db import switches

    because = reason(why)
    with here.database().begin() as tx:
        end = ending(tx, until)
        turned = switches.turn(tx, name, on=on, who=here.actor, why=because, until=end)
    said = "on" if on else "off"
    typer.echo(f"{name} is {said}" + ("" if turned else " already"))


def _until_quiet(here: Context, timeout: float) -> None:
    from db import work_listing

    limit = time.monotonic() + timeout
    pause = threading.Event()
    while True:
        with here.database().begin() as tx:
            flying = work_listing.in_flight(tx)
        if flying.runs == 0 and flying.items == 0:
            typer.echo("nothing is in flight")
            return
        if time.monotonic() > limit:
            say(f"after {timeout:g} s still in flight: {flying.runs} runs, {flying.items} items")
            raise typer.Exit(1)
        pause.wait(LOOK_SECONDS)
