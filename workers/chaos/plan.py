"""What a storm is to be: how long, under which faults, with how much work; all of it made from a seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

STRIKE_SECONDS: Final = 1.6
"""Between two faults, on average."""
FIRST_SECONDS: Final = 4.0
"""Processes start before the first fault comes."""
LAST_SECONDS: Final = 2.0
"""No fault begins this shortly before the storm ends."""
RELEASE_SECONDS: Final = 2.0
"""What a lease must leave after a renewal and the longest call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One fault at its time, in seconds since the storm began."""

    at_seconds: float
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. Rates are payouts a second that come in."""

    home: Path
    seed: int
    storm_seconds: float
    quiet_seconds_max: float
    lease_seconds: float
    rate_per_second: float
    strikes: Sequence[Due]
    faults: Sequence[str]
    impossible: Sequence[str] = ()
    """Faults that were asked for and cannot be made here."""
    workers: int = 2
    bank_faults: str = ""
    canary: str | None = None
    name: str = "storm"
    meddling: bool = True
    """People cancel, retry and ask while it storms."""
    surge: tuple[float, float, float] = (0.0, 0.0, 1.0)
    """From when to when (seconds) how many times as much comes in."""

    @property
    def call_seconds_max(self) -> float:
        """The longest call to the bank that a lease leaves room for."""
        return round(min(8.0, self.lease_seconds * 2 / 3 - RELEASE_SECONDS), 3)


def storm(seed: int, faults: Sequence[str], seconds: float) -> list[Due]:
    """Return the faults of a storm with their times: the same for the same seed.

    They are dealt like cards, so that each comes before any comes twice.
    """
    chance = Random(seed)  # noqa: S311  a storm must be repeatable
    deck: list[str] = []
    found: list[Due] = []
    at = FIRST_SECONDS
    while faults and at < seconds - LAST_SECONDS:
        if not deck:
            deck = list(faults)
            chance.shuffle(deck)
        found.append(Due(at_seconds=round(at, 2), fault=deck.pop()))
        at += chance.uniform(0.3, 1.7) * STRIKE_SECONDS
    return found
