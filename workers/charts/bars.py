"""Stacked bars as SVG: a bar for each label, a part of it for each series; whole units, never floats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WIDTH: Final = 960
HEIGHT: Final = 420
LEFT: Final = 110
TOP: Final = 60
FOOT: Final = 60
LEGEND: Final = 130
LABELS_MAX: Final = 12
"""Labels that fit below the bars."""
COLOURS: Final = ("#4477aa", "#228833", "#ccbb44", "#ee6677", "#aa3377", "#66ccee", "#777777")
"""Seven that people with any sight tell apart (P. Tol, bright)."""
_TEMPLATE: Final = Path(__file__).with_name("bars.svg.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One series' part of one bar, in pixels."""

    x: int
    y: int
    width: int
    height: int
    colour: str
    title: str


def bars(
    title: str,
    values: Mapping[str, Mapping[str, int]],
    series: Sequence[str],
    *,
    unit: str,
    written: Mapping[int, str],
) -> str:
    """Return the picture of `values`: by label, then by series; `written` says each value in words.

    The scale's top is the largest bar; `written` must hold that sum, too.
    """
    from jinja2 import Environment  # noqa: PLC0415 - of use to this command alone

    top = max((sum(parts.values()) for parts in values.values()), default=0)
    step = (WIDTH - LEFT - LEGEND) // max(1, len(values))
    colours = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(series)}
    every = -(-len(values) // LABELS_MAX) or 1
    template = Environment(autoescape=True).from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        title=title,
        unit=unit,
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        top=TOP,
        base=HEIGHT - FOOT,
        right=WIDTH - LEGEND,
        top_said=written.get(top, ""),
        parts=_parts(values, colours, top, step, written),
        labels=[
            {"x": LEFT + at * step + step // 2, "said": label}
            for at, label in enumerate(values)
            if at % every == 0
        ],
        legend=[
            {"y": TOP + 22 * at, "colour": colours[name], "said": name}
            for at, name in enumerate(series)
        ],
    )


def _parts(
    values: Mapping[str, Mapping[str, int]],
    colours: Mapping[str, str],
    top: int,
    step: int,
    written: Mapping[int, str],
) -> list[Part]:
    room, made = HEIGHT - FOOT - TOP, list[Part]()
    for at, (label, parts) in enumerate(values.items()):
        below = 0
        for name, colour in colours.items():
            value = parts.get(name, 0)
            # From whole to whole pixel, so that the parts of a bar leave no gap between them.
            low, high = (room * upto // top if top else 0 for upto in (below, below + value))
            below += value
            if value:
                said = f"{label} {name}: {written.get(value, '')}"
                made.append(
                    Part(
                        x=LEFT + at * step + step // 8,
                        y=HEIGHT - FOOT - high,
                        width=max(1, step - step // 4),
                        height=max(1, high - low),
                        colour=colour,
                        title=said,
                    )
                )
    return made
