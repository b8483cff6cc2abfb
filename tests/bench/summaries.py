"""Records of many turns as one row for each subject: medians, how far they lie apart, ratios turn by turn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.results import Figures
from workers.bench.figures import Figure

STEADY: Final = "per_second"
WHOLE: Final = "whole_per_second"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One subject of a part."""

    subject: str
    items: int
    figure: Figure


def rows(records: Sequence[Figures], name: str = STEADY) -> list[Row]:
    """Return a row for each subject, in the order in which they were first measured."""
    subjects = dict.fromkeys(str(record["subject"]) for record in records)
    return [
        Row(
            subject=subject,
            items=max(int(number(r, "items")) for r in records if r["subject"] == subject),
            figure=Figure.of([number(r, name) for r in records if r["subject"] == subject]),
        )
        for subject in subjects
    ]


def ratio(records: Sequence[Figures], one: str, other: str, name: str = STEADY) -> Figure | None:
    """How many times `other` `one` is, turn by turn; None where they took no turn together.

    A machine that is slow for a while is slow for both of a turn.
    """
    ours, theirs = (_by_turn(records, subject, name) for subject in (one, other))
    both = ours.keys() & theirs.keys()
    return Figure.of([ours[turn] / theirs[turn] for turn in both]) if both else None


def _by_turn(records: Sequence[Figures], subject: str, name: str) -> Mapping[int, float]:
    return {int(number(r, "turn")): number(r, name) for r in records if r["subject"] == subject}


def number(record: Figures, name: str) -> float:
    """Return a figure of a record. Raises `TypeError` where it is none."""
    found = record[name]
    if not isinstance(found, int | float):
        raise TypeError(f"{name} of {record['subject']} is no number")
    return found


def spread(figure: Figure, shown: Callable[[float], str]) -> str:
    """Return a median with its extremes, if there were several turns."""
    if figure.runs == 1:
        return shown(figure.median)
    return f"{shown(figure.median)} [{shown(figure.lowest)}..{shown(figure.highest)}]"


def whole(value: float) -> str:
    """Show a rate."""
    return f"{value:,.0f}"


def times(value: float) -> str:
    """Show a ratio with two digits that mean something."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 2 else f"{value:.2f}"
