"""The one program, put together from the modules that hold its commands."""

import os
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Final

import typer
import typer.main
from typer.core import TyperGroup

from domain.families import AGGREGATES
from domain.nouns import with_article
from workers.cli import families, why
from workers.cli.context import Context

FAMILIES_HERE: Final = "families"
"""Where the families' own groups stand in the help."""
MODULES: Final[Sequence[str]] = (
    "processes",
    "demo",
    "bench",
    "chaos",
    "admin",
    "imports",
    "sample",
    FAMILIES_HERE,
    "earnings",
    "payees",
    "wallets",
    "receipts",
    "suspense",
    "organisations",
    "customers",
    "plans",
    "mail",
    "practise",
    "why",
    "enqueue",
    "jobs",
    "work",
    "workers",
    "runs",
    "schedules",
    "leases",
    "effects",
    "ledger",
    "tax",
    "findings",
    "maintenance",
    "operators",
    "applications",
    "proposals",
    "changes",
    "audit",
    "reconcile",
    "statements",
    "money",
    "new",
)
"""Modules of this package, in the order of the help; each has an `app` with its commands."""

HELP: Final = """Durable task workers for money and bookings.

Begin with `bursar demo`, or `bursar up` for servers of your own folder. `--home` and `--as` may
stand anywhere on the line."""


@cache
def program() -> TyperGroup:
    """Return the program as it runs; to make it of its modules takes longer than most commands."""
    made = typer.main.get_command(build())
    assert isinstance(made, TyperGroup)
    return made


def build() -> typer.Typer:
    """Put the parts together. A module's `app` with a name is a group; without one, top-level commands."""
    built = typer.Typer(
        name="bursar",
        help=HELP,
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        callback=options,
    )
    for name in MODULES:
        if name == FAMILIES_HERE:
            _add_families(built)
        else:
            built.add_typer(import_module(f"workers.cli.{name}").app)
    return built


def _add_families(built: typer.Typer) -> None:
    for machine in AGGREGATES:
        built.add_typer(families.commands(machine))
        if machine.kind not in {command.name for command in why.app.registered_commands}:
            name, about = machine.kind, f"Why {with_article(machine.kind)} is where it is."
            why.app.command(name, help=about)(families.why(machine))


def options(
    ctx: typer.Context,
    home: Annotated[
        Path | None, typer.Option("--home", help="Folder of the embedded servers (BURSAR_HOME).")
    ] = None,
    remark: Annotated[
        str | None, typer.Option("--as", help="A remark on who acts; it proves nothing.")
    ] = None,
) -> None:
    """Keep what holds for every command; opened things are closed when the command ends."""
    ctx.obj = Context(os.environ, home=home, remark=remark)
    ctx.call_on_close(ctx.obj.close)
