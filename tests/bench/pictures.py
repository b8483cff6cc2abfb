"""The pictures beside the tables: plain SVG, the same file for the same figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas

OURS: Final = "#1f6f5c"
OTHERS: Final = "#9aa5ad"
LIMIT: Final = "#c9a227"
STYLE: Final = {"svg.hashsalt": "bursar", "svg.fonttype": "none", "font.size": 9}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: its height, and how far the turns lie apart."""

    label: str
    value: float
    lowest: float
    highest: float
    shown: str
    colour: str = OTHERS


def bars(file: Path, title: str, along: str, found: Sequence[Bar], *, log: bool = False) -> None:
    """Draw lying bars, the first on top; figures behind them."""
    with mpl.rc_context(STYLE):
        canvas = Canvas(figsize=(8, 0.9 + 0.32 * len(found)), layout="constrained")
        axes = canvas.subplots()
        places = range(len(found))
        apart = [[b.value - b.lowest for b in found], [b.highest - b.value for b in found]]
        axes.barh(places, [b.value for b in found], color=[b.colour for b in found], xerr=apart)
        axes.set_yticks(places, [b.label for b in found])
        axes.invert_yaxis()
        axes.set_xlabel(along)
        axes.set_title(title, loc="left")
        if log:
            axes.set_xscale("log")
            axes.set_xlim(left=0.5)
        for place, bar in zip(places, found, strict=True):
            axes.annotate(f" {bar.shown}", (bar.highest, place), va="center", annotation_clip=False)
        axes.margins(x=0.18)
        _save(canvas, axes, file)


def line(file: Path, title: str, along: tuple[str, str], found: Sequence[Bar]) -> None:
    """Draw figures over sizes, from zero, with the extremes of their turns."""
    with mpl.rc_context(STYLE):
        canvas = Canvas(figsize=(6, 3), layout="constrained")
        axes = canvas.subplots()
        places = range(len(found))
        apart = [[b.value - b.lowest for b in found], [b.highest - b.value for b in found]]
        heights = [b.value for b in found]
        axes.errorbar(places, heights, yerr=apart, marker="o", capsize=3, color=OURS)
        axes.set_xticks(places, [b.label for b in found])
        axes.set_xlabel(along[0])
        axes.set_ylabel(along[1])
        axes.set_ylim(bottom=0)
        axes.set_title(title, loc="left")
        _save(canvas, axes, file)


def _save(canvas: Canvas, axes: Any, file: Path) -> None:  # noqa: ANN401  a library that may be absent
    axes.spines[["top", "right"]].set_visible(False)
    canvas.savefig(file, format="svg", metadata={"Date": None})
