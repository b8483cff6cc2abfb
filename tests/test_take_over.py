"""The page about taking over is typed, command by command, and does what it says."""

import re
import shlex
from pathlib import Path

import pytest

from db import installation
from tests.builders import assert_sound
from tests.operating import query
from tests.test_docs import ROOT, blocks
from tests.workers.cli.conftest import Line, bursar

PAGE = ROOT / "docs/how-to/take-over.md"

__all__ = ["bursar"]


def test_the_page_is_typed_and_everything_is_taken_over(
    bursar: Line,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    with bursar.database.begin() as tx:
        installation.bind(tx, "razorpayx", "2323230000000001")
    said = [
        (command, bursar(*shlex.split(command)))
        for text in blocks(Path(PAGE))
        for command in re.findall(r"^bursar (.+)$", text, re.MULTILINE)
    ]
    assert [(command, each.err) for command, each in said if each.code] == []
    told = {command: each.out for command, each in said}
    assert "opening_balances" in told["ledger trial-balance"]

    made = query(bursar.database, "SELECT external_id, state FROM payouts ORDER BY external_id")
    assert [row.state for row in made] == [
        "COMPLETED", "PROCESSING", "PROCESSING", "FAILED", "PENDING", "PENDING", "REVERSED", "CANCELLED",
    ]  # fmt: skip
    earned = query(bursar.database, "SELECT state FROM earnings ORDER BY external_id")
    assert [row.state for row in earned] == ["PAID", "PAID", "READY", "HELD", "REFUNDED"]
    [tax] = query(bursar.database, "SELECT financial_year, quarter, tax FROM tax_records")
    assert (tax.financial_year, tax.quarter, tax.tax) == ("2025-26", "Q4", 156)
    years = query(bursar.database, "SELECT gross FROM tax_years ORDER BY gross DESC")
    assert [year.gross for year in years] == [61_250_000 + 156_313, 8_025_000]
    assert_sound(bursar.database)
