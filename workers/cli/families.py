"""The commands of every aggregate: its own module's, or else `list`, `show` and `why` made from its columns."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from workers.cli.asking import subject
from workers.cli.context import context
from workers.cli.listing import STATE, Asked, Found, found, listing
from workers.cli.output import JsonOne
from workers.cli.showing import display, look

if TYPE_CHECKING:
    from domain.machines import Machine


def commands(machine: "Machine") -> typer.Typer:
    """The group called as its table: `app` of `workers/cli/<table>.py`, or one made from its family's columns."""
    own = f"workers.cli.{machine.table}"
    if find_spec(own) is not None:
        app: typer.Typer = import_module(own).app
        return app
    return reading(machine, f"Read {machine.table}.")


def reading(machine: "Machine", about: str) -> typer.Typer:
    """A group with `list` and `show`, made from the columns of the machine's family."""
    app = listed(machine, about)
    app.command("show", help=f"Show one {machine.kind}, with its history.")(_show(machine))
    return app


def listed(machine: "Machine", about: str) -> typer.Typer:
    """A group with `list` alone, whose `show` says more than its columns."""
    app = typer.Typer(name=machine.table, help=about, no_args_is_help=True)
    app.command("list", help=f"List {machine.table}, newest first.")(_list(machine))
    return app


def _list(machine: "Machine") -> Callable[..., None]:
    @listing(columns=(), key="id", read=subject, empty=f"no such {machine.kind}")
    def list_(
        ctx: typer.Context,
        asked: Asked[UUID],
        state: Annotated[str | None, STATE] = None,
    ) -> Found:
        from db.families import family_of
        from db.subjects import Page, listing as rows

        family = family_of(machine.kind)
        named = {each.upper(): each for each in machine.states}
        wanted = None if state is None else named.get(state.upper(), state)
        page = Page(state=wanted, after=asked.after, limit=asked.limit)
        with context(ctx).database().begin() as tx:
            return found(rows(tx, family, page), total="amount_minor")

    return list_


def _show(machine: "Machine") -> Callable[..., None]:
    def show_(
        ctx: typer.Context,
        name: Annotated[str, typer.Argument(help="Id or external id.")],
        json: JsonOne = False,
    ) -> None:
        with context(ctx).database().begin() as tx:
            seen = look(tx, machine, name)
        display(seen, json=json)

    return show_


def why(machine: "Machine") -> Callable[..., None]:
    """The command `why KIND` of an aggregate without one of its own."""

    def why_(
        ctx: typer.Context,
        name: Annotated[str, typer.Argument(help="Id or external id.")],
        json: JsonOne = False,
    ) -> None:
        from db import subjects, why_subjects
        from db.families import family_of
        from domain.why_subjects import of_subject
        from workers.cli.why import tell

        with context(ctx).database().begin() as tx:
            id_ = subjects.find(tx, [name], [family_of(machine.kind)])[name]
            facts = why_subjects.subject(tx, machine, id_)
        tell({facts.kind: facts.id, "state": facts.state}, of_subject(facts), json=json)

    return why_
