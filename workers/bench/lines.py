"""A row of the table of all benchmarks, and how figures of reports become its cells."""

from dataclasses import dataclass

from workers.bench.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the table."""

    what: str
    figure: str
    spread: str = ""
    against: str = ""
    ratio: float | None = None
    goal: str = ""


def spread(report: Report) -> str:
    """Return how far the runs lie apart."""
    return f"{report['lowest_per_second']:,}..{report['highest_per_second']:,}"


def ratio(one: object, other: object) -> float:
    """Return how many times `other` `one` is, both figures of reports."""
    return round(number(one) / number(other), 2)


def number(value: object) -> float:
    """Return a figure of a report. Raises `TypeError` where it is none."""
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no figure")
    return value
