"""What commands ask for alike: a reason, a time, a page; and rows as the listing wants them."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from domain.errors import BadInputError
from workers.cli.context import Context

if TYPE_CHECKING:
    from db.tx import Row, Tx
    from jobs.shapes import Job

NUMBER_MAX: Final = 2**63 - 1
"""The largest number a row can have."""

Why = Annotated[str, typer.Option("--why", help="Why; kept in the history beside your name.")]
WhyToo = Annotated[str | None, typer.Option("--why", help="Why, where there is more to say.")]
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
    try:
        return found.astimezone(UTC)
    except OverflowError as error:
        raise BadInputError(option, text, "must lie in the years 1 to 9999 of UTC") from error


def ending(tx: "Tx", text: str | None) -> datetime | None:
    """Return the time until which something holds. Raises `BadInputError` for one that is over.

    A switch on until a time that is over is off within seconds, and who turned it believes it on.
    """
    end = moment(text, "--until")
    if end is not None:
        from db import clock

        if end <= clock.now(tx):
            raise BadInputError("--until", text, "must be a time to come")
    return end


def subject(text: str, option: str) -> UUID:
    """Return an id. Raises `BadInputError`."""
    try:
        return UUID(text)
    except ValueError as error:
        raise BadInputError(option, text, "must be an id, such as a listing shows") from error


def known_job(name: str, place: str = "--job") -> "type[Job]":
    """Return the job of this name. Raises `BadInputError`: a typing error must not read as 'nothing'."""
    from jobs.catalog import ALL

    known = {job.name: job for job in ALL}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise BadInputError(place, name, f"must be one of {', '.join(known)}{hint}")
    return known[name]


def number(text: str, option: str) -> int:
    """Return the number an option names. Raises `BadInputError`."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:  # noqa: PLR2004 - fits 64 bits
        raise BadInputError(option, text, "must be a number, such as a listing shows")
    return int(text)


def wake(here: Context, *jobs: str) -> None:
    """Start what was just made due, best effort: workers find it by themselves within a second."""
    from db import wakes
    from db.runs import Known
    from jobs.catalog import ALL

    known = [
        Known(job=j.name, queue=j.queue.value, version=j.version, width_max=j.width_max)
        for j in ALL
        if j.name in jobs
    ]
    ring(here, here.database().transact(lambda tx: wakes.wake(tx, known)))


def ring(here: Context, runs: Sequence[tuple[int, str]]) -> None:
    """Ring for runs that are committed: (run, queue) each."""
    for queue in sorted({queue for _, queue in runs}):
        here.bell.ring(queue, [run for run, its in runs if its == queue])


def say(text: str) -> None:
    """Say something beside the output that programs read."""
    sys.stderr.write(f"{text}\n")
