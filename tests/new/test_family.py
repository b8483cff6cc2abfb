"""A whole new family is files of its own and a line in each list: the page that says how is done here."""

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


@pytest.mark.timeout(900)
def test_a_new_family_needs_no_edit_of_workers_or_of_the_core_of_db(copy: Copy) -> None:
    before = copy.files()
    copy.follow(PAGE)
    after = copy.files()

    assert {path for path in before if after.get(path) != before[path]} == LISTS
    new = sorted(path for path in after.keys() - before.keys() if path.endswith(".py"))
    assert [path for path in new if path.startswith("workers/")] == []
    copy.check(*new)
