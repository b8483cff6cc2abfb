"""A whole new family is files of its own and a line in each list: the page that says how is done here."""

import sys
from typing import Final

import pytest

from tests.new.copies import Copy

PAGE: Final = "docs/how-to/add-a-family.md"
LISTS: Final = {
    "domain/families.py",
    "db/families.py",
    "jobs/catalog.py",
    "schedules/timetable.py",
    "pyproject.toml",
}
"""What may be edited for a new family; all else of it is new."""
TOLD: Final = {"tests/db/every_table.py", "tests/db/test_constraints.py"}
"""How its constraints are broken."""
RULES: Final = (
    "tests/test_tidy.py",
    "tests/test_docs.py::test_every_command_of_the_program_is_on_a_page",
    "tests/gate",
    "tests/db/audit/test_invariants.py::test_every_promise_can_be_broken",
    "tests/workers/cli/test_listings.py::test_every_listing_of_the_program_is_held_to_these_rules",
    "tests/workers/cli/test_whys.py::test_every_command_that_changes_something_takes_a_reason",
)
"""What holds every family to the rules of the house; the page of the gate is made by `make gate`."""


@pytest.mark.timeout(900)
def test_a_new_family_needs_no_edit_of_workers_or_of_the_core_of_db(copy: Copy) -> None:
    before = copy.files()
    copy.follow(PAGE)
    after = copy.files()

    assert {path for path in before if after.get(path) != before[path]} == LISTS | TOLD
    new = sorted(path for path in after.keys() - before.keys() if path.endswith(".py"))
    assert [path for path in new if path.startswith("workers/")] == []
    copy.check(*new)
    unmade = ("-k", "not page_of_the_gate")
    copy.run(sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", *unmade, *RULES)
