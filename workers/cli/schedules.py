"""`schedules …`: the timetable, read and changed while everything runs."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import BadInputError
from domain.listings import ScheduleState
from domain.schedules import EVERY_SECONDS_MAX, CatchUp, TickOutcome
from workers.cli.asking import Why, ending, moment, reason, ring
from workers.cli.context import Context, context
from workers.cli.listing import STATE, Asked, Found, found, listing, word
from workers.cli.output import JsonOne, show_one
from workers.cli.usage import SECONDS

if TYPE_CHECKING:
    from db.schedule_settings import Effective
    from domain.schedules import Schedule

app = typer.Typer(name="schedules", help="The timetable.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The schedule's name.")]


COLUMNS = (
    "schedule",
    "rhythm",
    "catch_up",
    "state",
    "next_tick_at",
    "last_tick_at",
    "changed_by",
)
TICK_COLUMNS = ("tick_at", "outcome", "run", "run_state", "reason", "recorded_at", "recorded_by")


@app.command("list")
@listing(columns=COLUMNS, key="schedule", read=word, empty="no such schedule")
def list_(
    ctx: typer.Context,
    asked: Asked[str],
    state: Annotated[ScheduleState | None, STATE] = None,
) -> Found:
    """List schedules as they are in force, with their last and next times."""
    from db import schedule_settings, switches, ticks
    from domain import switches as names
    from schedules.timetable import TIMETABLE

    with context(ctx).database().begin() as tx:
        in_force = schedule_settings.in_force(tx, TIMETABLE)
        latest = {row.schedule: row for row in ticks.latest(tx)}
        on = switches.all_on(tx)
    rows = []
    for one in sorted(in_force, key=lambda each: each.schedule.name):
        name, last = one.schedule.name, latest.get(one.schedule.name)
        is_paused = names.schedule(name) in on
        rows.append(
            {
                **_facts(one),
                "state": ScheduleState.PAUSED if is_paused else ScheduleState.RUNNING,
                "next_tick_at": last.next_tick_at if last else None,
                "last_tick_at": last.tick_at if last else None,
                "last_outcome": last.outcome if last else None,
                "last_run": last.run if last else None,
            }
        )
    start, fields = asked.after or "", tuple(rows[0])
    rows = [r for r in rows if str(r["schedule"]) > start and state in {None, r["state"]}]
    return Found(rows=rows[: asked.limit], fields=fields)


@app.command()
def pause(
    ctx: typer.Context,
    name: Name,
    why: Why,
    until: Annotated[str | None, typer.Option("--until", help="ISO 8601 with its zone.")] = None,
) -> None:
    """Record the times of a schedule as held, until it is resumed."""
    _turn(context(ctx), _schedule(name), on=True, why=why, until=until)


@app.command()
def resume(ctx: typer.Context, name: Name, why: Why) -> None:
    """Let a paused schedule run again, from its next time on."""
    _turn(context(ctx), _schedule(name), on=False, why=why)


@app.command()
def fire(ctx: typer.Context, name: Name, why: Why, json: JsonOne = False) -> None:
    """Put one run of the schedule's job on record now."""
    from jobs.catalog import ALL
    from schedules.fire import fire as put
    from schedules.targets import targets_of

    here, line, because = context(ctx), _schedule(name), reason(why)
    target = targets_of(ALL)[line.job]
    with here.database().begin() as tx:
        made = put(tx, line.name, target, who=here.actor, why=because)
    ring(here, [(made.id, target.queue)])
    show_one({"schedule": name, "job": line.job, "run": made.id}, json=json)


@app.command("set")
def set_(
    ctx: typer.Context,
    name: Name,
    why: Why,
    cron: Annotated[
        str | None, typer.Option("--cron", help="Five fields, such as '0 6 * * mon'.")
    ] = None,
    every: Annotated[
        int | None,
        typer.Option(
            "--every",
            metavar=SECONDS,
            min=1,
            max=EVERY_SECONDS_MAX,
            help="So many seconds from one time to the next.",
        ),
    ] = None,
    tz: Annotated[str | None, typer.Option("--tz", help="Such as Asia/Kolkata.")] = None,
    catch_up: Annotated[
        CatchUp | None,
        typer.Option("--catch-up", case_sensitive=False, help="What becomes of missed times."),
    ] = None,
    json: JsonOne = False,
) -> None:
    """Change a schedule; in force in every scheduler within 5 s."""
    from db import changes, schedule_settings
    from db.schedule_settings import Change

    here, line, because = context(ctx), _schedule(name), reason(why)
    change = Change(cron=cron, every_seconds=every, timezone=tz, catch_up=catch_up)
    with here.database().begin() as tx:
        now = schedule_settings.set_(tx, line, change, who=here.actor, why=because)
        changes.note(tx, "schedule.set", [line.name], who=here.actor, why=because)
    show_one(_facts(now), json=json)


@app.command()
def reset(ctx: typer.Context, name: Name, why: Why, json: JsonOne = False) -> None:
    """Go back to the default of a schedule."""
    from db import changes, schedule_settings

    here, line, because = context(ctx), _schedule(name), reason(why)
    with here.database().begin() as tx:
        changed = schedule_settings.reset(tx, line.name)
        changes.note(tx, "schedule.reset", [line.name], who=here.actor, why=because)
        now = schedule_settings.in_force(tx, [line])[0]
    show_one({**_facts(now), "was_changed": changed}, json=json)


@app.command()
@listing(columns=TICK_COLUMNS, key="tick_at", read=moment, empty="no such time has come yet")
def ticks(
    ctx: typer.Context,
    asked: Asked[datetime],
    name: Name,
    state: Annotated[TickOutcome | None, STATE] = None,
) -> Found:
    """List what became of each time of a schedule, newest first."""
    from db import ticks as rows

    line = _schedule(name)
    with context(ctx).database().begin() as tx:
        return found(
            rows.listing(tx, line.name, outcome=state, before=asked.after, limit=asked.limit)
        )


def _schedule(name: str) -> "Schedule":
    from schedules.timetable import TIMETABLE, schedule

    found = schedule(name)
    if found is None:
        known = ", ".join(line.name for line in TIMETABLE)
        raise BadInputError("schedule", name, f"must be one of {known}")
    return found


def _turn(here: Context, line: "Schedule", *, on: bool, why: str, until: str | None = None) -> None:
    from db import switches
    from domain import switches as names

    because = reason(why)
    with here.database().begin() as tx:
        end = ending(tx, until)
        turned = switches.turn(
            tx, names.schedule(line.name), on=on, who=here.actor, why=because, until=end
        )
    said = "paused" if on else "running"
    typer.echo(f"{line.name} is {said}" + ("" if turned else " already"))


def _facts(one: "Effective") -> dict[str, object]:
    return {
        "schedule": one.schedule.name,
        "job": one.schedule.job,
        "rhythm": str(one.schedule.rhythm),
        "catch_up": one.schedule.catch_up.value,
        "default": str(one.default.rhythm),
        "changed_by": one.changed_by,
        "why": one.why,
        "changed_at": one.changed_at,
        "problem": one.problem,
    }
