"""A table on a terminal: words wrap, ids never break; what has no room is left out, and named below."""

import sys
from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workers.cli.output import write_fields

GAP: Final = 3
"""Cells between two columns."""
EDGES: Final = 2
"""Cells that the table has outside its columns."""
PROSE_MIN: Final = 16
"""Cells that a column of words needs to be read when it wraps."""


def write_fitted(
    titles: Sequence[str],
    cells: Sequence[Sequence[str]],
    *,
    right: set[int],
    kept: int | None,
) -> None:
    """Write a table as wide as the terminal at most.

    Columns of words wrap. Where that is not enough, columns are left out from the right, those of
    words before others, the first and `kept` never. Without `kept`, or where these two have no
    room, it is shown field by field.
    """
    console = Console(file=sys.stdout)
    needs = [
        _need(title, place, cells, whole=place in {0, kept}) for place, title in enumerate(titles)
    ]
    prose = {place for place in range(len(titles)) if _is_prose(place, cells)}
    shown = _fitting(needs, console.width, kept, prose)
    if not shown:
        for line in cells:
            write_fields([(t, text) for t, text in zip(titles, line, strict=True) if text])
            sys.stdout.write("\n")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for place in shown:
        table.add_column(
            titles[place],
            justify="right" if place in right else "left",
            no_wrap=place in {0, kept} or not _is_prose(place, cells),
            min_width=needs[place],
        )
    for line in cells:
        table.add_row(*(Text(line[place]) for place in shown))
    console.print(table)
    left_out = [title for place, title in enumerate(titles) if place not in shown]
    if left_out:
        sys.stdout.write(f"no room for {', '.join(left_out)}: --json and --csv show everything\n")


def _fitting(needs: Sequence[int], width: int, kept: int | None, prose: set[int]) -> list[int]:
    """Return the columns that have room, in order; none where it is better shown field by field."""
    shown = list(range(len(needs)))
    while sum(needs[place] + GAP for place in shown) - GAP + EDGES > width:
        droppable = [place for place in shown if place not in {0, kept}]
        if kept is None or not droppable:
            return []
        shown.remove(max(droppable, key=lambda place: (place in prose, place)))
    return shown


def _need(title: str, place: int, cells: Sequence[Sequence[str]], *, whole: bool) -> int:
    """Return how many cells a column needs: all of an id, and of words what the longest one needs."""
    widest = max(len(line[place]) for line in cells)
    if not whole and _is_prose(place, cells):
        longest = max(len(word) for line in cells for word in line[place].split() or [""])
        widest = min(widest, max(PROSE_MIN, longest))
    return max(len(title), widest)


def _is_prose(place: int, cells: Sequence[Sequence[str]]) -> bool:
    return any(" " in line[place] and not line[place][0].isdigit() for line in cells)
