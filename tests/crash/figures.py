"""What was explored, in figures: a line for each world, summed over the parts it was explored in."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

EXPLORE: Final = os.environ.get("BURSAR_TEST_EXPLORE", "sample")
"""`sample`, `full`, or one fault as a failure prints it."""
FOLDER: Final = Path(__file__).parents[2] / "build" / "explored"
"""Where `make explore` leaves its figures."""

EXPLORED: Final = "explored"
"""The property of a test's report that carries one line."""


def line(world: str, points: int, faults: int, failed: int) -> str:
    """One part of a world, for `table`."""
    return f"{world}|{points}|{faults}|{failed}"


def table(lines: Iterable[str]) -> list[str]:
    """A Markdown table of all parts: points are of the world, faults and failures are added up."""
    worlds: dict[str, list[int]] = {}
    for part in lines:
        world, *figures = part.split("|")
        points, faults, failed = map(int, figures)
        had = worlds.setdefault(world, [points, 0, 0])
        worlds[world] = [max(points, had[0]), had[1] + faults, had[2] + failed]
    total = [sum(figures) for figures in zip(*worlds.values(), strict=True)]
    body = [*sorted(worlds.items()), ("together", total)]
    return [
        "| what dies | points | faults explored | after which something was amiss |",
        "|---|---|---|---|",
        *(f"| `{world}` | {a:,} | {b:,} | {c:,} |" for world, (a, b, c) in body),
    ]
