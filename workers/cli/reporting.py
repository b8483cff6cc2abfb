"""What a run that was asked for came to: one object, an exit code, lines for CI."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from db import run_progress
from domain.runs import RunState
from domain.tally import Count
from jobs.shapes import Job
from workers.cli.context import Context

WRONG: Final = (Count.FAILED, Count.UNKNOWN, Count.PARKED, Count.FENCED, Count.LOST)
"""Counts that make a run a run with something wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A run somebody waits for; `only` are the subjects its scope names."""

    run: int
    job: type[Job]
    only: list[UUID] | None
    is_new: bool
    """Made by this request: then the runs after it went on with the same work."""
    timeout_seconds: float
    inline: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the waiting ended."""

    state: RunState
    reason: str | None
    code: int
    remaining: int


def result_of(here: Context, asked: Asked, ended: Ended) -> tuple[int, dict[str, object]]:
    """Return the exit code and the one object that says everything: failures found make it 1."""
    with here.database().begin() as tx:
        later = asked.is_new and asked.only is None and asked.job.shape != "sweep"
        found = run_progress.tally(tx, asked.run, asked.job.name, with_later=later)
        row = run_progress.look(tx, asked.run, asked.only)
        tally = {count.value: found.get(count.value, 0) for count in Count}
        wrong = {name.value: tally[name.value] for name in WRONG if tally[name.value]}
        errors: list[str] = []
        if row is not None and (wrong or ended.code):
            since = row.created_at
            errors = run_progress.troubles(
                tx, asked.run, asked.job.name, since=since, only=asked.only
            )
    code, reason = ended.code, ended.reason
    if code == 0 and wrong:
        code = 1
        reason = ", ".join(f"{count} {name}" for name, count in wrong.items())
    return code, {
        "run": asked.run,
        "job": asked.job.name,
        "state": ended.state.value,
        "success": code == 0,
        "reason": reason,
        "tally": tally,
        "remaining": ended.remaining,
        "errors": errors,
        "exit_code": code,
    }


def told(tally: object) -> str:
    """Return what was counted, for people: `processed 3, succeeded 3`."""
    counts = tally.items() if isinstance(tally, dict) else ()
    return ", ".join(f"{name} {count}" for name, count in counts if count) or "nothing"


def append(outputs: Path, result: dict[str, object]) -> None:
    """Append `key=value` lines as CI reads them, tallies under their own names; one line each."""
    flat: dict[str, object] = {}
    for name, value in result.items():
        match value:
            case dict():
                flat |= value
            case list():
                flat[name] = len(value)
            case bool():
                flat[name] = str(value).lower()
            case None:
                flat[name] = ""
            case _:
                flat[name] = value
    with outputs.open("a", encoding="utf-8") as stream:
        stream.writelines(
            f"{name}={' '.join(str(value).split())}\n" for name, value in flat.items()
        )
