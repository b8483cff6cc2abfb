"""What commands ask for alike: a reason, a time, a page; and rows as the listing wants them."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from domain.errors import BadInputError
from workers.cli.context import Context

if TYPE_CHECKING:
    from db.tx import Row

Why = Annotated[str, typer.Option("--why", help="Why; kept in the history beside your name.")]
After = Annotated[
    str | None, typer.Option("--after", help="The last id of the page before (its first column).")
]
At = Annotated[
    str | None, typer.Option("--at", help="When, as ISO 8601 with its zone: 2026-01-05T06:00Z.")
]


def dicts(rows: "Sequence[Row]") -> list[dict[str, object]]:
    """Return rows as the listing takes them."""
    return [dict(row._asdict()) for row in rows]


def reason(why: str) -> str:
    """Return a reason that says something. Raises `BadInputError`."""
    if not why.strip() or not why.isprintable():
        raise BadInputError("--why", why, "must say why, in printable text")
    return why.strip()


def moment(text: str | None, option: str = "--at") -> datetime | None:
    """Return the time an option names. Raises `BadInputError` for one without a zone."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        rule = "must be ISO 8601, such as 2026-01-05T06:00Z"
        raise BadInputError(option, text, rule) from error
    if found.tzinfo is None:
        raise BadInputError(option, text, "must name its zone, such as Z or +05:30")
    return found.astimezone(UTC)


def subject(text: str, option: str) -> UUID:
    """Return an id. Raises `BadInputError`."""
    try:
        return UUID(text)
    except ValueError as error:
        raise BadInputError(option, text, "must be an id, such as a listing shows") from error


def number(text: str | None, option: str) -> int | None:
    """Return the number an option names. Raises `BadInputError`."""
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:  # noqa: PLR2004 - fits 64 bits
        raise BadInputError(option, text, "must be a number, such as a listing shows")
    return int(text)


def wake(here: Context, job: str) -> None:
    """Start what was just made due, best effort: workers find it by themselves within a second."""
    from db import wakes
    from db.runs import Known
    from jobs.catalog import ALL

    known = [
        Known(job=j.name, queue=j.queue.value, version=j.version, width_max=j.width_max)
        for j in ALL
        if j.name == job
    ]
    ring(here, here.database().transact(lambda tx: wakes.wake(tx, known)))


def ring(here: Context, runs: Sequence[tuple[int, str]]) -> None:
    """Ring for runs that are committed: (run, queue) each."""
    for queue in sorted({queue for _, queue in runs}):
        here.bell.ring(queue, [run for run, its in runs if its == queue])


def say(text: str) -> None:
    """Say something beside the output that programs read."""
    sys.stderr.write(f"{text}\n")
