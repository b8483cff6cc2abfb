"""The page about paying from earnings is typed, command by command, and does what it says."""

import re
import shlex
from pathlib import Path

import pytest

from tests.operating import query
from tests.test_docs import ROOT, blocks
from tests.workers.cli.conftest import Line, bursar

PAGE = ROOT / "docs/how-to/pay-from-earnings.md"

__all__ = ["bursar"]


def test_the_page_is_typed_and_payees_are_paid(
    bursar: Line,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    said = [
        (command, bursar(*shlex.split(command)))
        for text in blocks(Path(PAGE))
        for command in re.findall(r"^bursar (.+)$", text, re.MULTILINE)
    ]
    assert [(command, each.err) for command, each in said if each.code] == []
    told = {command: each.out for command, each in said}
    assert "people hold it" in told["why earning EA-1-000001"]
    assert "opted out" in told['why wallet "Arjun Banerjee"']
    assert "would_make" in told["enqueue payouts.batch --dry-run"]

    made = query(bursar.database, "SELECT state, count(*) AS n FROM payouts GROUP BY state")
    assert {row.state for row in made} == {"APPROVED", "PENDING"}
    lost = query(bursar.database, "SELECT state FROM earnings WHERE external_id = 'EA-1-000003'")
    assert [row.state for row in lost] == ["REFUNDED"]
