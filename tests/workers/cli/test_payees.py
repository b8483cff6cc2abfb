"""`bursar payees set`: where a payee is told of payouts."""

import pytest

from tests.operating import query
from tests.workers.cli.conftest import Line

OLD = """name,fund_account_id,kind,tax_class,has_pan,resident,verified,default
Asha Rao,fa_1,person,individual,yes,yes,yes,yes
"""
ADDRESS = "SELECT email FROM payees"


@pytest.fixture
def known(bursar: Line) -> Line:
    """A payee of a file that says nothing of addresses: its header may leave the column out."""
    assert bursar("import", "payees", bursar.file(OLD, "payees.csv")).code == 0
    return bursar


def test_an_address_is_said_shown_and_taken_back_and_it_is_kept_who_and_why(known: Line) -> None:
    said = known("payees", "set", "Asha Rao", "--email", "asha@example.org", "--why", "by phone")
    assert said.code == 0
    assert known("payees", "show", "Asha Rao", "--json").json["email"] == "asha@example.org"
    assert known("import", "payees", known.file(OLD, "payees.csv"), "--json").json["existing"] == 1
    assert [row.email for row in query(known.database, ADDRESS)] == ["asha@example.org"]
    assert known("payees", "set", "Asha Rao", "--no-email", "--why", "asked to stop").code == 0
    assert [row.email for row in query(known.database, ADDRESS)] == [None]
    noted = query(known.database, "SELECT why FROM changes WHERE what = 'payee.set' ORDER BY id")
    assert [row.why for row in noted] == ["by phone", "asked to stop"]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--email", "asha@example.org", "--no-email"),
        ("--email", "asha@example.org, all@example.org"),
        ("--email", "Asha <asha@example.org>"),
    ],
)
def test_what_says_nothing_or_is_no_address_is_refused(known: Line, words: tuple[str, ...]) -> None:
    assert known("payees", "set", "Asha Rao", *words, "--why", "x").code == 2
    assert [row.email for row in query(known.database, ADDRESS)] == [None]


def test_a_file_with_the_column_tells_it(bursar: Line) -> None:
    lines = OLD.strip().splitlines()
    text = "\n".join([f"email,{lines[0]}", f"asha@example.org,{lines[1]}"])
    assert bursar("import", "payees", bursar.file(text, "payees.csv")).code == 0
    assert [row.email for row in query(bursar.database, ADDRESS)] == ["asha@example.org"]
