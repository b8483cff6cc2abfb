"""Several runs of one measurement as one figure: the median, and how far they lie apart."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A median with its extremes, over `runs` runs."""

    median: float
    lowest: float
    highest: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Return the figure of at least one value."""
        return cls(
            median=statistics.median(values),
            lowest=min(values),
            highest=max(values),
            runs=len(values),
        )

    def __str__(self) -> str:
        if self.runs == 1:
            return f"{self.median:,.0f}"
        return f"{self.median:,.0f} [{self.lowest:,.0f}..{self.highest:,.0f}]"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, -int(-share * len(ordered) // 1) - 1))]
