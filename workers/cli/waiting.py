"""Wait for a run that was asked for, show how far it is, and say with an exit code how it ended."""

import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from db import run_progress, why as facts
from db.tx import Row
from domain.errors import NotFoundError, UnreachableError
from domain.runs import OPEN, RunState
from workers.cli import INTERRUPTED
from workers.cli.asking import ring, say
from workers.cli.context import Context
from workers.cli.output import progress, show_one
from workers.cli.reporting import Asked, Ended, append, result_of, told

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_SECONDS: Final = 0.1
NOBODY_SECONDS: Final = 5.0
"""After this without a live worker that knows the job, it is said."""


def wait_for(here: Context, asked: Asked, *, outputs: Path | None, json: bool) -> int:
    """Wait until what was due has left, and report; returns the exit code."""
    try:
        if not asked.inline:
            ring(here, [(asked.run, asked.job.queue.value)])
        ended = _inline(here, asked) if asked.inline else _watch(here, asked)
    except KeyboardInterrupt:
        is_over = asked.inline and _look(here, asked).state not in OPEN
        _leave(asked.run, is_over=is_over)
        raise typer.Exit(INTERRUPTED) from None
    except UnreachableError:
        _leave(asked.run, is_over=False)
        raise
    code, result = result_of(here, asked, ended)
    show_one(result if json else {**result, "tally": told(result["tally"])}, json=json)
    if outputs is not None:
        append(outputs, result)
    return code


def _leave(run: int, *, is_over: bool) -> None:
    """Say what becomes of a run that nobody waits for any more, and how to follow it."""
    then = "was stopped, and what it left waits for the next" if is_over else "goes on without you"
    say(f"run {run} {then}: bursar run {run}, bursar why run {run}")


def _inline(here: Context, asked: Asked) -> Ended:
    """Execute the run here, and then what it left due, until nothing is or the time is over."""
    from workers.cli.inline import execute

    execute(here, asked.job, asked.run, seconds_max=asked.timeout_seconds)
    return _watch(here, asked)


def _watch(here: Context, asked: Asked) -> Ended:
    started = time.monotonic()
    pause = threading.Event()
    with ExitStack() as stack:
        advance: Callable[[int], None] | None = None
        left, told_nobody = 0, False
        while True:
            row = _look(here, asked)
            if advance is None:
                left = row.remaining
                advance = stack.enter_context(progress(asked.job.name, left))
            advance(max(0, left - row.remaining))
            left = min(left, row.remaining)
            ended = _judge(here, asked, row)
            if ended is not None:
                return ended
            waited = time.monotonic() - started
            if row.workers == 0 and waited > NOBODY_SECONDS and not told_nobody:
                say(f"no live worker knows {asked.job.name}: start one with `bursar worker`")
                told_nobody = True
            if waited > asked.timeout_seconds:
                return _too_late(asked, row)
            pause.wait(LOOK_SECONDS)


def _look(here: Context, asked: Asked) -> Row:
    with here.database().begin() as tx:
        row = run_progress.look(tx, asked.run, asked.only)
    if row is None:
        raise NotFoundError(f"run {asked.run} is gone")
    return row


def _judge(here: Context, asked: Asked, row: Row) -> Ended | None:
    """How it ended, or None while there is something to wait for."""
    state = RunState(row.state)
    if state is RunState.RUNNING:
        return None
    if state is RunState.SUCCEEDED and (row.remaining == 0 or asked.job.shape == "sweep"):
        return Ended(state=state, reason=row.reason, code=0, remaining=row.remaining)
    if state in OPEN or state is RunState.SUCCEEDED:
        return _held(here, asked, row)
    code = 0 if state is RunState.SKIPPED else 1
    reason = row.reason or f"run {asked.run} {state}"
    return Ended(state=state, reason=reason, code=code, remaining=row.remaining)


def _held(here: Context, asked: Asked, row: Row) -> Ended | None:
    """Held back by a switch: said so, and not waited for."""
    with here.database().begin() as tx:
        gates = facts.run(tx, asked.run).around.gates
    if not gates:
        return None
    reason = f"held: {gates[0].name} is on, by {gates[0].who}: {gates[0].why}"
    return Ended(state=RunState(row.state), reason=reason, code=0, remaining=row.remaining)


def _too_late(asked: Asked, row: Row) -> Ended:
    state = RunState(row.state)
    if row.workers == 0 and not asked.inline:
        reason = f"no live worker knows {asked.job.name}"
        return Ended(
            state=state, reason=reason, code=UnreachableError.exit_code, remaining=row.remaining
        )
    reason = (
        f"not done after {asked.timeout_seconds:g} s: run {asked.run} is {state}, "
        f"{row.remaining} items still wait"
    )
    return Ended(state=state, reason=reason, code=1, remaining=row.remaining)
