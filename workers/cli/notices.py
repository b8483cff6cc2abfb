"""`notices …`: what applications are told of payouts, and telling it again."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from domain.errors import BadInputError
from domain.notices import DELIVER, NOTICES, NoticeState
from domain.switches import NOTICES as SWITCH
from workers.cli.asking import Why, reason, wake
from workers.cli.context import Context, context
from workers.cli.families import reading
from workers.cli.output import Json, show

if TYPE_CHECKING:
    from db.transitions import Moved

app = reading(NOTICES, "What applications are told.")

SET_MAX: Final = 500
MEANINGS: Final = {
    "moved": "is sent again",
    "illegal": "only what is FAILED is replayed",
    "busy": "a worker holds it: try again",
    "missing": "no such notice",
}


@app.command()
def replay(
    ctx: typer.Context,
    why: Why,
    notices: Annotated[list[str] | None, typer.Argument(help="Ids.")] = None,
    all_failed: Annotated[
        bool, typer.Option("--all-failed", help="Every FAILED notice, ever.")
    ] = False,
    json: Json = False,
) -> None:
    """Send FAILED notices again, under the ids they had."""
    here, because = context(ctx), reason(why)
    if bool(notices) == all_failed:
        rule = "name notices, or give --all-failed; one of the two"
        raise BadInputError("notices replay", " ".join(notices or ()), rule)
    sets = _failed(here) if all_failed else [_named(here, notices or [])]
    moved = [one for ids in sets for one in _replay(here, ids, because)]
    if any(one.outcome == "moved" for one in moved):
        wake(here, DELIVER)
    shown = [_told(one) for one in moved]
    show(shown, ("id", "outcome", "meaning"), json=json)
    done = sum(one.outcome == "moved" for one in moved)
    typer.echo(f"replay: {done} of {len(moved)} notices", err=json)
    if done < len(moved):
        raise typer.Exit(1)


@app.command()
def on(ctx: typer.Context, why: Why) -> None:
    """Write down from now on what applications are to be told; workers with BURSAR_EVENTS_URL send it."""
    _turn(context(ctx), on=True, why=reason(why))


@app.command()
def off(ctx: typer.Context, why: Why) -> None:
    """Tell nothing more of what happens from now on; what is written down is still sent."""
    _turn(context(ctx), on=False, why=reason(why))


def _turn(here: Context, *, on: bool, why: str) -> None:
    from db import switches

    with here.database().begin() as tx:
        if not on:
            # Off for good needs a row that says so, or the next worker's start turns it on.
            switches.turn_on_first(tx, SWITCH, who=here.actor, why=why)
        turned = switches.turn(tx, SWITCH, on=on, who=here.actor, why=why)
    said = "on" if on else "off"
    typer.echo(f"{SWITCH} is {said}" + ("" if turned else " already"))


def _named(here: Context, names: list[str]) -> list[UUID]:
    from db import subjects
    from db.notices.family import NOTICES as FAMILY

    with here.database().begin() as tx:
        return list(subjects.find(tx, names, [FAMILY]).values())


def _failed(here: Context) -> Iterator[list[UUID]]:
    """The ids of what is FAILED, a page at a time, newest first."""
    from db import subjects
    from db.notices.family import NOTICES as FAMILY

    after: UUID | None = None
    while True:
        page = subjects.Page(state=NoticeState.FAILED, after=after, limit=SET_MAX)
        with here.database().begin() as tx:
            ids = [row.id for row in subjects.listing(tx, FAMILY, page)]
        if ids:
            yield ids
        if len(ids) < SET_MAX:
            return
        after = ids[-1]


def _replay(here: Context, ids: list[UUID], why: str) -> "list[Moved]":
    from db.transitions import unleased_move

    actor, target = here.actor, NoticeState.PENDING
    with here.database().begin() as tx:
        return unleased_move(tx, NOTICES, ids, target=target, actor=actor, why=why)


def _told(one: "Moved") -> dict[str, object]:
    return {"id": one.subject, "outcome": one.outcome, "meaning": MEANINGS[one.outcome]}
