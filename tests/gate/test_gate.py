"""The pages that say by what everything is proven are true: no row without a test or a reason, no cell empty."""

import re

from db.engine import Database
from jobs.catalog import ALL
from jobs.payouts.process import ProcessPayouts
from jobs.shapes import Chore
from tests.builders import owner, rows
from tests.gate.cells import CELLS
from tests.gate.covering import accepted, covered, kept, names
from tests.gate.flows import MORE, flows, of_job
from tests.gate.matrix import ALSO, NOT_YET, ROWS
from tests.gate.pages import EMPTY, GATE, TESTING, Explored, cells, gate, races, with_tables
from tests.gate.rules import RULES, TRAPS

PROMISES = GATE.with_name("constraints.md")
CONSTRAINTS = """
    SELECT conname AS name FROM pg_constraint WHERE connamespace = 'bursar'::regnamespace
    UNION SELECT relname FROM pg_class WHERE relkind = 'i' AND relnamespace = 'bursar'::regnamespace
    UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal""".replace("::", "\\:\\:")
FIGURES = {
    world: Explored(points=10, faults=5, failed=0) for flow in flows() for world in flow.worlds
}


def test_every_fault_is_covered_or_says_why_not() -> None:
    assert set(covered()) <= set(ROWS)
    assert set(ROWS) - set(covered()) == set(NOT_YET)


def test_what_covers_a_fault_without_saying_so_is_there() -> None:
    places = [place.partition("::") for found in ALSO.values() for place in found]

    assert [path for path, _, _ in places if not names(path)] == []
    assert [(path, name) for path, _, name in places if name and name not in names(path)] == []


def test_every_rule_of_money_is_held_by_a_test_that_names_it() -> None:
    assert list(RULES) == [*range(1, 56), 60, 61, 62, 63, 64, 65, 66, 67, *range(68, 80)]
    assert set(RULES) - set(kept()) == set()


def test_what_is_easily_done_wrong_has_tests_that_are_there() -> None:
    places = [place.partition("::") for tests in TRAPS.values() for place in tests]

    assert [(path, name) for path, _, name in places if name not in names(path)] == []


def test_every_cell_of_the_matrices_is_a_test_of_its_name() -> None:
    assert set(accepted()) == set(CELLS)


def test_the_tables_on_the_page_are_the_tests_own() -> None:
    """Where this fails: `python -m tests.gate` makes the page anew."""
    page = TESTING.read_text(encoding="utf-8")

    assert with_tables(page) == page


def test_every_job_and_flow_of_the_gate_has_every_cell() -> None:
    assert {job.name for job in ALL} <= {flow.name for flow in flows()}
    assert {flow.name for flow in MORE} <= {job.name for job in ALL}
    assert [flow.name for flow in flows() if EMPTY in cells(flow, FIGURES)] == []


class Unproved(Chore):
    """A job with neither test nor world."""

    name = "payouts.nobody_proves"


def test_a_job_that_nobody_proved_has_empty_cells() -> None:
    assert cells(of_job(Unproved), FIGURES).count(EMPTY) == 2


def test_only_worlds_of_its_own_name_are_a_jobs_points() -> None:
    flow = of_job(ProcessPayouts)
    seen = {
        "payouts.process": Explored(points=9, faults=9, failed=0),
        "payouts.process (refusals)": Explored(points=1, faults=1, failed=0),
        "payouts.process_more": Explored(points=100, faults=1, failed=0),
    }

    assert cells(flow, seen)[-1] == "10"


def test_what_was_amiss_after_a_death_is_no_proof() -> None:
    flow = of_job(ProcessPayouts)

    assert cells(flow, {})[-1] == EMPTY
    broken = {"payouts.process": Explored(points=9, faults=9, failed=1)}
    assert "1 of 9" in cells(flow, broken)[-1]
    assert EMPTY in cells(flow, broken)[-1]


def test_what_the_gate_names_is_there(database_url: str) -> None:
    with owner(database_url) as database:
        there = constraints(database)
    named = {name for flow in flows() for name in flow.constraints}
    tests = {path for flow in flows() for path in flow.tests}

    promises = set(re.findall(r"^\| `\w+` \| `(\w+)`", PROMISES.read_text("utf-8"), re.MULTILINE))
    assert named - there == named - promises == set()
    assert [path for path in tests if not names(path)] == []
    assert [
        f.name for f in flows() for word in f.races if not any(r.startswith(word) for r in races(f))
    ] == []


def constraints(database: Database) -> set[str]:
    """Every constraint, index and trigger of the schema."""
    return {row.name for row in rows(database, CONSTRAINTS)}


def test_the_page_of_the_gate_is_the_one_that_is_made() -> None:
    """All but the figures, which `make gate` takes: where this fails, it makes the page anew."""
    rows_of = re.compile(r"^\| `(.*) \| [^|]+ \|$", re.MULTILINE)
    page = GATE.read_text("utf-8")

    assert rows_of.findall(page) == rows_of.findall(gate(FIGURES))
    assert EMPTY not in page
