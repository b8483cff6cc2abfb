"""One subject as it is shown: its fields, and below them what belongs to it, in fields or tables of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

import typer

from domain.errors import NotFoundError
from workers.cli.asking import dicts
from workers.cli.output import Row, plain, show, show_one

if TYPE_CHECKING:
    from db.tx import Tx
    from domain.machines import Machine

HISTORY: Final = "history"
MOVES: Final = ("at", "move", "reason", "actor", "run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One subject: its fields, and what belongs to it, by what that is called."""

    id: UUID
    facts: Row
    more: Mapping[str, Row | Sequence[Row]]


def look(tx: "Tx", machine: "Machine", name: str) -> Seen:
    """One subject by its id or external id, with its history. Raises `BadInputError`, `NotFoundError`."""
    from db import subjects
    from db.families import family_of

    family = family_of(machine.kind)
    id_ = subjects.find(tx, [name], [family])[name]
    row = subjects.show(tx, family, id_)
    if row is None:
        raise NotFoundError(f"there is no {machine.kind} {name}")
    history = dicts(subjects.history(tx, id_))
    return Seen(id=id_, facts=dicts([row])[0], more={HISTORY: history})


def display(seen: Seen, *, json: bool) -> None:
    """Show it, as one object for programs."""
    if json:
        show_one(
            {**seen.facts, **{name: _plain(part) for name, part in seen.more.items()}}, json=True
        )
        return
    show_one(seen.facts)
    for name, part in seen.more.items():
        typer.echo()
        if isinstance(part, Mapping):
            show_one(part)
        elif part or name == HISTORY:
            show(part, MOVES if name == HISTORY else list(part[0]))
        else:
            typer.echo(f"no {name}")


def _plain(part: Row | Sequence[Row]) -> object:
    return plain(part) if isinstance(part, Mapping) else [plain(row) for row in part]
