"""The life of a run: one execution of a job by one holder."""

from enum import StrEnum
from typing import Final

from domain.machines import Guard, Machine, Move


class RunState(StrEnum):
    """Where a run is."""

    QUEUED = "queued"
    """Committed, and so announced; whoever knows its job may start it once it is due."""
    HELD = "held"
    """Not startable while a switch (maintenance, a paused queue) holds it back."""
    RUNNING = "running"
    """Held under the lease `run:<id>`."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CRASHED = "crashed"
    """Its lease ended before it did; its items come back when their leases end."""
    STOPPED = "stopped"
    """Asked to stop (SIGTERM): what had not begun was released."""
    SKIPPED = "skipped"
    """Declined with a reason: another run of this job holds its lease."""
    CANCELLED = "cancelled"


class Origin(StrEnum):
    """Who asked for a run."""

    WAKE = "wake"
    TICK = "tick"
    OPERATOR = "operator"
    SQL = "sql"
    HTTP = "http"
    WATCH = "watch"


_R = RunState

RUNS: Final = Machine(
    kind="run",
    table="runs",
    initial=frozenset({_R.QUEUED, _R.HELD}),
    moves=(
        Move(source=_R.QUEUED, target=_R.RUNNING, guard=Guard.UNLEASED, when="started by its holder"),
        Move(source=_R.QUEUED, target=_R.HELD, guard=Guard.UNLEASED, when="a switch holds its job back"),
        Move(source=_R.HELD, target=_R.QUEUED, guard=Guard.UNLEASED, when="the switch was turned off"),
        Move(source=_R.QUEUED, target=_R.CANCELLED, guard=Guard.UNLEASED, when="cancelled before it started"),
        Move(source=_R.HELD, target=_R.CANCELLED, guard=Guard.UNLEASED, when="cancelled before it started"),
        Move(source=_R.RUNNING, target=_R.SUCCEEDED, guard=Guard.LEASED, when="ended with nothing wrong"),
        Move(source=_R.RUNNING, target=_R.FAILED, guard=Guard.LEASED, when="ended with something wrong"),
        Move(source=_R.RUNNING, target=_R.STOPPED, guard=Guard.LEASED, when="was asked to stop"),
        Move(source=_R.RUNNING, target=_R.SKIPPED, guard=Guard.LEASED, when="another run holds the job's lease"),
        Move(source=_R.RUNNING, target=_R.CRASHED, guard=Guard.UNLEASED, when="its lease ended before it did"),
        Move(source=_R.FAILED, target=_R.QUEUED, guard=Guard.UNLEASED, when="retried (sweeps and operator runs)"),
        Move(source=_R.CRASHED, target=_R.QUEUED, guard=Guard.UNLEASED, when="retried (sweeps and operator runs)"),
        Move(source=_R.STOPPED, target=_R.QUEUED, guard=Guard.UNLEASED, when="retried (sweeps and operator runs)"),
    ),
    calls=(),
)  # fmt: skip

OPEN: Final = frozenset({_R.QUEUED, _R.HELD, _R.RUNNING})
"""States a run can still leave by itself."""
