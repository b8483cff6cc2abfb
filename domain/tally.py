"""What a run did, counted under fixed names; `skipped` is neither a success nor a failure."""

from collections import Counter
from enum import StrEnum


class Count(StrEnum):
    """The names operators and their scripts read."""

    PROCESSED = "processed"
    """Items acted on: everything below but `skipped`, `lost` and `fenced`."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """Definitely refused."""
    UNKNOWN = "unknown"
    """Nobody can know yet: money stays reserved, the recover job asks."""
    PUT_BACK = "put_back"
    """Nothing was sent; it will be tried again."""
    PARKED = "parked"
    """Waits for a person."""
    SKIPPED = "skipped"
    """Not this run's to act on: handed on by its state."""
    LOST = "lost"
    """The compare-and-swap found another state."""
    FENCED = "fenced"
    """The lease had been taken over: the answer is kept as evidence, nothing moved."""
    RELEASED = "released"
    """Given back untouched, because the process was asked to stop."""
    WAITING = "waiting"
    """Asked about; not final yet."""


Tally = Counter[Count]
"""Counts by name; absent is zero. Add them with `+=`."""


def as_json(tally: Tally) -> dict[str, int]:
    """Return every name with its count, in the order above."""
    return {count.value: tally[count] for count in Count}
