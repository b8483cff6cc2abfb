"""docs/how-to/reconcile.md is done as it says: its statement, its commands, what they print."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.builders import house, owner
from tests.jobs.payouts.statements import desk
from tests.test_docs import blocks
from tests.workers.cli.conftest import Line

PAGE: Final = Path(__file__).parents[3] / "docs/how-to/reconcile.md"
TYPED: Final = re.compile(r"^\$ bursar (.+)\n((?:(?!\$ ).+\n)+)", re.MULTILINE)


def test_the_page_on_reconciling_is_done_as_it_says(
    bursar: Line, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [statement] = blocks(PAGE, "csv")
    typed = [found for text in blocks(PAGE) for found in TYPED.findall(text)]
    monkeypatch.chdir(bursar.folder)
    bursar.file(statement, "statement.csv")
    with (
        house(database_url) as home,
        owner(database_url) as outside,
        desk(database_url, home, outside) as at,
    ):
        at.pay(2)
        said = [(command, bursar(*command.split())) for command, _ in typed]

    printed = {command: re.sub(r"[0-9a-f-]{36}", " " * 36, one.out) for command, one in said}
    assert printed == dict(typed)
    assert [one.code for _, one in said] == [1, 0]


def test_what_the_page_resolves_is_what_the_statement_opened(
    bursar: Line, database_url: str
) -> None:
    [statement] = blocks(PAGE, "csv")
    path = bursar.file(statement, "statement.csv")
    with (
        house(database_url) as home,
        owner(database_url) as outside,
        desk(database_url, home, outside) as at,
    ):
        at.pay(2)
        bursar("reconcile", "statement", path)
        [key] = at.told()
    assert f"bursar findings resolve {key} " in PAGE.read_text("utf-8")
