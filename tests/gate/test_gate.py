"""The pages that say by what everything is proven are true: no row without a test or a reason, no cell empty."""

import re

import pytest

from db.engine import Database
from jobs.catalog import ALL
from tests.builders import owner, rows
from tests.gate.covering import covered, names
from tests.gate.flows import FLOWS, completed
from tests.gate.matrix import ALSO, NOT_YET, ROWS
from tests.gate.pages import EMPTY, GATE, TESTING, Explored, cells, gate, races, with_matrix

PROMISES = GATE.with_name("constraints.md")
CONSTRAINTS = """
    SELECT conname AS name FROM pg_constraint WHERE connamespace = 'bursar'::regnamespace
    UNION SELECT relname FROM pg_class WHERE relkind = 'i' AND relnamespace = 'bursar'::regnamespace
    UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal""".replace("::", "\\:\\:")
FIGURES = {
    world: Explored(points=10, faults=5, failed=0) for flow in completed() for world in flow.worlds
}


def test_every_fault_is_covered_or_says_why_not() -> None:
    assert set(covered()) <= set(ROWS)
    assert set(ROWS) - set(covered()) == set(NOT_YET)


def test_what_covers_a_fault_without_saying_so_is_there() -> None:
    places = [place.partition("::") for found in ALSO.values() for place in found]

    assert [path for path, _, _ in places if not names(path)] == []
    assert [(path, name) for path, _, name in places if name and name not in names(path)] == []


def test_the_matrix_on_the_page_is_the_tests_own() -> None:
    """Where this fails: `python -m tests.gate` makes the page anew."""
    page = TESTING.read_text(encoding="utf-8")

    assert with_matrix(page) == page


def test_every_job_and_flow_of_the_gate_has_every_cell() -> None:
    assert {job.name for job in ALL} <= {flow.name for flow in FLOWS}
    assert [flow.name for flow in completed() if EMPTY in cells(flow, FIGURES)] == []


def test_a_job_that_nobody_proved_has_empty_cells() -> None:
    flow = next(f for f in completed() if f.name == "payouts.process")

    assert EMPTY in cells(flow, {})
    broken = {"payouts.process": Explored(points=9, faults=9, failed=1)}
    assert any("1 of 9" in cell for cell in cells(flow, broken))


def test_what_the_gate_names_is_there(database_url: str) -> None:
    with owner(database_url) as database:
        there = constraints(database)
    named = {name for flow in FLOWS for name in flow.constraints}
    tests = {path for flow in FLOWS for path in flow.tests}

    promises = set(re.findall(r"^\| `\w+` \| `(\w+)`", PROMISES.read_text("utf-8"), re.MULTILINE))
    assert named - there == named - promises == set()
    assert [path for path in tests if not names(path)] == []
    assert [
        f.name for f in FLOWS for word in f.races if not any(r.startswith(word) for r in races(f))
    ] == []


def constraints(database: Database) -> set[str]:
    """Every constraint, index and trigger of the schema."""
    return {row.name for row in rows(database, CONSTRAINTS)}


@pytest.mark.parametrize("column", [*range(5)])
def test_the_page_of_the_gate_is_the_one_that_is_made(column: int) -> None:
    """All but the figures, which `make gate` takes."""
    rows_of = re.compile(r"^\| `.*$", re.MULTILINE)
    made, page = (rows_of.findall(text) for text in (gate(FIGURES), GATE.read_text("utf-8")))

    assert [row.split(" | ")[column] for row in made] == [row.split(" | ")[column] for row in page]
    assert [row for row in page if EMPTY in row] == []
