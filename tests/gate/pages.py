"""The two pages, made: `docs/release-gate.md`, and in `docs/testing.md` faults, rules of money, and cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from tests.gate.cells import CELLS, MATRICES
from tests.gate.covering import ROOT, accepted, covered, kept
from tests.gate.flow import Flow
from tests.gate.flows import flows
from tests.gate.matrix import GROUPS, NOT_YET, ROWS
from tests.gate.rules import RULE_GROUPS, RULES, TRAPS
from tests.races.catalog import RACES

GATE: Final = ROOT / "docs/release-gate.md"
TESTING: Final = ROOT / "docs/testing.md"
MADE: Final = "<!-- {0}: made by python -m tests.gate -->\n", "<!-- end of {0} -->\n"
"""Before and after what is made of a page."""
COLUMNS: Final = ("flow", "constraints", "transaction", "lease", "tests", "races", "crash points")
EMPTY: Final = "**nothing**"

_ABOUT: Final = """# Release gate

Made by `make gate`, which runs the crash explorer and fails on an empty cell or on anything amiss. For each flow
and job: the constraints of the database that hold even against our own mistakes, the transactions, the lease, the
tests, the races it takes part in, and the crash points of its worlds: statements, commits and outside calls at which
it can be killed.

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """What the crash explorer reported of one world."""

    points: int
    faults: int
    failed: int


def explored(report: Path) -> dict[str, Explored]:
    """The figures of each world in a JUnit report, summed over its parts."""
    found: dict[str, Explored] = {}
    for one in ET.parse(report).iter("property"):  # noqa: S314  our own report
        if one.get("name") != "explored":
            continue
        world, *figures = (one.get("value") or "").split("|")
        points, faults, failed = map(int, figures)
        had = found.get(world, Explored(points=0, faults=0, failed=0))
        found[world] = Explored(
            points=max(points, had.points),
            faults=had.faults + faults,
            failed=had.failed + failed,
        )
    return found


def gate(figures: Mapping[str, Explored]) -> str:
    """The page of the release gate."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(cells(flow, figures) for flow in flows())]
    return _ABOUT + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cells(flow: Flow, figures: Mapping[str, Explored]) -> list[str]:
    """One line; what is not there is `EMPTY`."""
    told = [
        ", ".join(f"`{name}`" for name in flow.constraints),
        flow.transaction,
        flow.lease,
        ", ".join(_link(path) for path in flow.tests),
        ", ".join(f"`{name}`" for name in races(flow)) or "alone",
        _points(flow, figures),
    ]
    return [f"`{flow.name}`", *(cell or EMPTY for cell in told)]


def races(flow: Flow) -> list[str]:
    """The races a flow takes part in."""
    return sorted(name for name in RACES if name.startswith(flow.races)) if flow.races else []


def _points(flow: Flow, figures: Mapping[str, Explored]) -> str:
    mine = [seen for world, seen in figures.items() if world.partition(" (")[0] in flow.worlds]
    points, failed = sum(seen.points for seen in mine), sum(seen.failed for seen in mine)
    if failed:
        return f"{EMPTY} sound: {failed} of {points}"
    return str(points) if points else ""


def _link(path: str) -> str:
    return f"[{path.removeprefix('tests/')}](../{path})"


def matrix() -> str:
    """The matrix of faults: each row with the files that cover it, or why none does."""
    parts = []
    for group, lines in GROUPS.items():
        rows = [line.partition(" ")[0] for line in lines.splitlines()]
        table = "".join(f"| {row} | {ROWS[row]} | {_where(row)} |\n" for row in rows)
        parts.append(f"**{group}**\n\n| row | fault | covered by |\n|---|---|---|\n{table}")
    return "\n".join(parts)


def _where(row: str) -> str:
    files = _files(covered().get(row, []))
    return _names(files) if files else f"not yet: {NOT_YET.get(row, EMPTY)}"


def rules() -> str:
    """The rules of money: each with the files whose tests hold it, and what is easily done wrong with its tests."""
    parts = []
    for group, lines in RULE_GROUPS.items():
        numbers = [int(line.partition(" ")[0]) for line in lines.splitlines()]
        table = "".join(
            f"| {n} | {RULES[n]} | {_names(_files(kept().get(n, [])))} |\n" for n in numbers
        )
        parts.append(f"**{group}**\n\n| invariant | rule | held by |\n|--:|---|---|\n{table}")
    table = "".join(f"| {trap} | {_names(_files(tests))} |\n" for trap, tests in TRAPS.items())
    parts.append(
        f"**Easily done wrong**\n\n| what | that it is not done so here |\n|---|---|\n{table}"
    )
    return "\n".join(parts)


def matrices() -> str:
    """What is tried before bookings are accepted: each cell with the tests that are it."""
    parts = []
    for matrix, lines in MATRICES.items():
        cells = [line.partition(" ")[0] for line in lines.splitlines()]
        table = "".join(
            f"| {cell} | {CELLS[cell]} | {_names(_files(accepted().get(cell, [])))} |\n"
            for cell in cells
        )
        parts.append(f"**{matrix}**\n\n| cell | what | tried by |\n|---|---|---|\n{table}")
    return "\n".join(parts)


def _files(places: Sequence[str]) -> list[str]:
    return sorted({place.partition("::")[0] for place in places})


def _names(files: Sequence[str]) -> str:
    return ", ".join(f"`{path}`" for path in files)


def with_tables(page: str) -> str:
    """`docs/testing.md` with its tables as they are now."""
    for name, table in (("faults", matrix()), ("rules", rules()), ("cells", matrices())):
        begin, end = (mark.format(name) for mark in MADE)
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}"
    return page
