"""A flow of money as SVG: each account a box with its line down, each leg of an entry an arrow at its time.

Drawn by a template of our own, like the bars. Bindings of Graphviz need its program beside them, and matplotlib,
which the benchmarks draw with, is no part of an installation. Nothing has to be laid out either, which a graph
library would be for: accounts stand side by side, and time goes down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

GUTTER: Final = 300
"""Where the entries are named, in pixels."""
STEP: Final = 160
BOX: Final = 148
TALL: Final = 42
TOP: Final = 62
ROW: Final = 32
FITS: Final = 21
"""Characters of a name that fit into a box; the whole of it is told to whoever points at it."""
LEGEND: Final = (
    "From the account that is credited to the one that is debited; below, what is left in each."
)
_TEMPLATE: Final = Path(__file__).with_name("flow.svg.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """An account: what it is, whose, and what these entries leave in it, in words."""

    name: str
    owner: str
    held: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """A leg, from one box to another by their places; `entry` names what it is `part_of`, by its key."""

    source: int
    target: int
    amount: str
    entry: str
    part_of: str
    detail: str
    """Told to whoever points at it."""


def flow(title: str, boxes: Sequence[Box], arrows: Sequence[Arrow]) -> str:
    """Return the picture; boxes stand in their order, arrows go down in theirs."""
    from jinja2 import Environment  # noqa: PLC0415 - of use to this command alone

    foot = TOP + TALL + ROW * (len(arrows) + 1)
    template = Environment(autoescape=True).from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        title=title,
        legend=LEGEND,
        width=GUTTER + STEP * max(1, len(boxes)),
        height=foot + TALL + 16,
        boxes=[_box(box, place, foot) for place, box in enumerate(boxes)],
        arrows=[
            {
                "y": TOP + TALL + ROW * (row + 1),
                "from_x": _middle(arrow.source),
                "to_x": _middle(arrow.target),
                "amount": arrow.amount,
                "whole": arrow.detail,
                # Of an entry of several legs the first is named.
                "said": "" if row and arrows[row - 1].part_of == arrow.part_of else arrow.entry,
            }
            for row, arrow in enumerate(arrows)
        ],
    )


def _box(box: Box, place: int, foot: int) -> dict[str, object]:
    return {
        "left": _middle(place) - BOX // 2,
        "middle": _middle(place),
        "width": BOX,
        "height": TALL,
        "top": TOP,
        "below": TOP + TALL,
        "foot": foot,
        "name": _fit(box.name),
        "owner": _fit(box.owner),
        "held": _fit(box.held),
        "whole": f"{box.name} {box.owner}".strip(),
    }


def _middle(place: int) -> int:
    return GUTTER + STEP * place + STEP // 2


def _fit(text: str) -> str:
    return text if len(text) <= FITS else f"{text[: FITS - 1]}…"
