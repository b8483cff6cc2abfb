"""Execute one run: take it under its lease, run the shape its job has, end it with its tally and reason."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

import structlog

from db import run_states, runs, switches, waiting, wakes
from db.engine import Database
from db.errors import LockedError, OverdueError
from db.runs import Known, Started
from domain.errors import BadInputError, ExpectedError
from domain.runs import RunState
from domain.tally import as_json
from jobs.shapes import Chore, Drain, Job, Sweep
from workers.runner.bounds import Bounds
from workers.runner.chore import ChoreRun
from workers.runner.drain import DrainRun
from workers.runner.outcome import Outcome
from workers.runner.sweep import SweepRun
from workers.tracing import OFF, Span

log = structlog.get_logger(__name__)

Ring = Callable[[Sequence[tuple[int, str]]], None]
"""Rings for runs just committed: (run, queue) each; best effort, never raises."""


class Meter(Protocol):
    """What a process counts of its runs."""

    def run_started(self, job: str, due_to_start_seconds: float) -> None:
        """A run began so long after it was due."""

    def run_ended(self, job: str, outcome: str, tally: Mapping[str, int]) -> None:
        """A run ended with these counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Everything a process needs to execute runs."""

    database: Database
    jobs: Mapping[str, Job]
    bounds: Bounds
    worker: str
    ring: Ring
    stop: threading.Event
    tracing: Span = OFF
    """What each run is a stage of."""

    @property
    def known(self) -> list[Known]:
        """The jobs this process may start."""
        return [job.known() for job in self.jobs.values()]

    def execute(self, run: int, meter: Meter | None = None) -> RunState | None:
        """Execute run `run` if it is to be had; returns how it ended, or None when it was not."""
        with self.database.single() as tx:
            started = runs.start(
                tx, run, self.known, worker=self.worker, lease_seconds=self.bounds.lease_seconds
            )
        if started is None:
            return None
        job, origin = started.job, started.origin.value
        with (
            structlog.contextvars.bound_contextvars(
                run_id=started.id, job=job, token=started.token
            ),
            self.tracing.stage(f"run {job}", run_id=started.id, job=job, origin=origin) as span,
        ):
            if meter is not None:
                meter.run_started(started.job, started.late_seconds)
            return self._run(started, meter, span)

    def _run(self, started: Started, meter: Meter | None, span: Span) -> RunState:
        job = self.jobs[started.job]
        try:
            outcome = self._outcome(job, started, span)
        except (
            Exception
        ) as error:  # a broken run is a failed one; its items come back by their leases
            log.exception("run.broke")
            outcome = Outcome(reasons=[f"{type(error).__name__}: {error}"])
        state, reason = self._judge(job, started, outcome)
        self.database.transact(
            lambda tx: runs.end(tx, started, state, tally=as_json(outcome.tally), reason=reason)
        )
        if outcome.unfinished:
            self.ring(self.database.transact(lambda tx: run_states.requeue(tx, [started.id])))
        counts = {name: count for name, count in as_json(outcome.tally).items() if count}
        log.info("run.ended", state=state.value, reason=reason, **counts)
        span.note(outcome=state.value, **counts)
        if state is RunState.FAILED:
            span.fail(state.value)
        if meter is not None:
            meter.run_ended(started.job, state.value, as_json(outcome.tally))
        return state

    def _outcome(self, job: Job, started: Started, span: Span) -> Outcome:
        def wake() -> None:
            self.wake([k for k in self.known if k.job == job.name])

        only = subjects(job, started.scope)
        match job:
            case Drain():
                return DrainRun(
                    self.database,
                    job,
                    started,
                    self.bounds,
                    stop=self.stop,
                    wake=wake,
                    only=only,
                    span=span,
                ).execute()
            case Chore():
                return ChoreRun(
                    self.database, job, started, self.bounds, stop=self.stop, wake=wake, only=only
                ).execute()
            case Sweep():
                return SweepRun(
                    self.database, job, started, self.bounds, stop=self.stop, worker=self.worker
                ).execute()
            case _:
                raise AssertionError(f"{job.name} has none of the four shapes")

    def _judge(self, job: Job, started: Started, outcome: Outcome) -> tuple[RunState, str | None]:
        """The silent-skip guard: due rows left untouched, with nothing to explain it, are a failure."""
        if isinstance(job, Sweep):
            return outcome.state(0)
        only = subjects(job, started.scope)
        if only is not None:
            return self._judge_scope(job, outcome, [s for s in only if s not in outcome.claimed])
        gates = job.known().gates
        with self.database.begin() as tx:
            left = waiting.due(tx, job.name, started.started_at).items
            on = [name for name in switches.all_on(tx) if name in gates]
        if on and outcome.held_back is None:
            outcome = replace(outcome, held_back=f"held by {', '.join(on)}")
        if left and outcome.is_silent and not self._is_neglected(job, started):
            left = 0
        return outcome.state(left)

    def _is_neglected(self, job: Job, started: Started) -> bool:
        """Look again: what others were about to claim as we did is not left untouched."""
        try:
            return self.database.transact(
                lambda tx: waiting.is_neglected(tx, job.name, started.started_at)
            )
        except (LockedError, OverdueError):  # no claim takes so long
            return True

    def _judge_scope(
        self, job: Job, outcome: Outcome, missed: Sequence[UUID]
    ) -> tuple[RunState, str | None]:
        """A scope that names subjects says of each one not claimed why; none claimed is a failure."""
        state, reason = outcome.state(0)
        if not missed or state is not RunState.SUCCEEDED:
            return state, reason
        with self.database.begin() as tx:
            why = waiting.why_not_claimed(tx, job.name, missed)
        told = "; ".join(f"{subject}: {why[subject]}" for subject in missed)[:4000]
        return (state if outcome.claimed else RunState.FAILED), f"not claimed: {told}"

    def wake(self, known: Sequence[Known]) -> None:
        """Make wake runs for jobs with due work, and ring for them; best effort."""
        try:
            self.ring(self.database.transact(lambda tx: wakes.wake(tx, known)))
        except ExpectedError as error:  # the sweep of every process does the same each second
            log.warning("wake.failed", error=str(error))


def subjects(job: Job, scope: Mapping[str, Any]) -> list[UUID] | None:
    """The subjects a scope names, or None for all. Raises `BadInputError` for a key the job does not know."""
    known = job.scope_keys | job.options.keys()
    for key, value in scope.items():
        if key not in known:
            rule = f"must be one of {', '.join(sorted(known)) or 'nothing'}"
            raise BadInputError(f"scope of {job.name}", key, rule)
        if key in job.options and value not in job.options[key]:
            rule = f"must be one of {', '.join(job.options[key])}"
            raise BadInputError(f"scope of {job.name}, {key}", value, rule)
    named = [value for key, value in scope.items() if key in job.scope_keys]
    if not named:
        return None
    values = [v for value in named for v in (value if isinstance(value, list) else [value])]
    try:
        return [UUID(str(value)) for value in values]
    except ValueError as error:
        raise BadInputError(
            f"scope of {job.name}", values, "must name subjects by their ids"
        ) from error
