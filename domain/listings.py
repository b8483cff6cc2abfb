"""States that are read off a row rather than kept in it: what listings may be narrowed by."""

from enum import StrEnum


class WorkState(StrEnum):
    """How a work row stands."""

    DUE = "due"
    DELAYED = "delayed"
    LEASED = "leased"
    PARKED = "parked"


class LeaseState(StrEnum):
    """Whether the time of a lease is over."""

    LIVE = "live"
    ENDED = "ended"


class WorkerState(StrEnum):
    """How a process was heard of last."""

    LIVE = "live"
    STOPPING = "stopping"
    SILENT = "silent"


class ScheduleState(StrEnum):
    """Whether the times of a schedule become runs."""

    RUNNING = "running"
    PAUSED = "paused"


class SwitchState(StrEnum):
    """How a switch stands. `ALL` is no state: it lists every switch that was ever turned."""

    ON = "on"
    OFF = "off"
    ALL = "all"


class OperatorState(StrEnum):
    """Whether somebody may decide now."""

    PRESENT = "present"
    REMOVED = "removed"


class ProposalState(StrEnum):
    """What became of a proposal."""

    WAITING = "waiting"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


class FindingState(StrEnum):
    """What became of a finding. `ALL` is no state: it also lists what is resolved or healed."""

    OPEN = "open"
    TAKEN = "taken"
    MUTED = "muted"
    RESOLVED = "resolved"
    HEALED = "healed"
    ALL = "all"


class ReceiptState(StrEnum):
    """What became of a receipt."""

    RECEIVED = "received"
    """By its obligation, or in parts by several."""
    SUSPENSE = "suspense"
    """It, or a part of it, is set apart: nobody knows whom it is for."""
    REVERSED = "reversed"
    """It was none."""


class SuspenseState(StrEnum):
    """How an item of suspense stands. `ALL` is no state: it also lists what is resolved."""

    OPEN = "open"
    RESOLVED = "resolved"
    ALL = "all"
