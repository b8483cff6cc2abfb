"""`money`: sums by day and state, as a table, as JSON and CSV, as a picture."""

import csv
import io
from typing import Final
from xml.etree import ElementTree as ET

import pytest

from tests.builders import owner
from tests.operating import change, line, take
from tests.workers.cli.conftest import Line
from workers.charts.bars import HEIGHT, bars

SVG: Final = "{http://www.w3.org/2000/svg}"
TIME: Final = ("--from", "2026-01-01", "--to", "2026-01-10")


@pytest.fixture
def january(bursar: Line, database_url: str) -> Line:
    """Three payouts of the 5th, one of them approved, and two of the 7th."""
    take(bursar.database, [line(f"A-{n}", amount_minor=10_000 * (n + 1)) for n in range(5)])
    assert bursar("payouts", "approve", "A-0", "--why", "x").code == 0
    with owner(database_url) as database:
        change(
            database,
            """UPDATE payouts SET created_at = CASE WHEN external_id < 'A-3' THEN timestamptz '2026-01-05 23:59:59Z'
                                               ELSE timestamptz '2026-01-07 00:00:00Z' END""",
        )
    return bursar


def test_sums_by_day_and_state(january: Line) -> None:
    """Days are those of UTC; the end of a time is not in it."""
    found = january("money", *TIME, "--json").json
    assert [(row["day"], row["state"], row["payouts"], row["amount_minor"]) for row in found] == [
        ("2026-01-05", "APPROVED", 1, 10_000),
        ("2026-01-05", "PENDING", 2, 50_000),
        ("2026-01-07", "PENDING", 2, 90_000),
    ]
    shorter = january("money", "--from", "2026-01-01", "--to", "2026-01-07", "--json").json
    assert {row["day"] for row in shorter} == {"2026-01-05"}


def test_sums_by_state(january: Line) -> None:
    found = january("money", "--by", "state", *TIME, "--json").json
    assert [(row["state"], row["amount_minor"]) for row in found] == [
        ("APPROVED", 10_000),
        ("PENDING", 140_000),
    ]
    table = january("money", "--by", "STATE", *TIME).out
    assert "1400.00 INR" in table


def test_a_csv_has_its_header_where_nothing_was_created(january: Line) -> None:
    full = january("money", *TIME, "--csv").out
    empty = january("money", "--from", "2025-01-01", "--to", "2025-02-01", "--csv").out
    assert full.splitlines()[0] == empty.strip()
    assert len(list(csv.DictReader(io.StringIO(full)))) == 3
    nothing = january("money", "--from", "2025-01-01", "--to", "2025-02-01")
    assert (nothing.code, nothing.out) == (0, "no payout was created then\n")


def test_a_picture_says_every_sum(january: Line) -> None:
    path = january.folder / "money.svg"
    said = january("money", *TIME, "--svg", str(path))
    assert said.code == 0, said.err
    picture = ET.fromstring(path.read_text("utf-8"))  # noqa: S314  our own
    titles = [title.text for title in picture.iter(f"{SVG}title")]
    assert titles[0] == "Payouts created 2026-01-01 to 2026-01-10, by day"
    assert set(titles[1:]) == {
        "2026-01-05 APPROVED: 100.00 INR",
        "2026-01-05 PENDING: 500.00 INR",
        "2026-01-07 PENDING: 900.00 INR",
    }
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert "900.00 INR" in texts
    assert {"2026-01-05", "2026-01-07", "COMPLETED"} <= set(texts)


def test_parts_of_a_bar_stand_on_one_another_without_a_gap() -> None:
    values = {"a": {"x": 1, "y": 2, "z": 10**15}, "b": {"x": 7}}
    picture = ET.fromstring(bars("t", values, ["x", "y", "z"], unit="", written={}))  # noqa: S314  our own
    parts = [p for p in picture.iter(f"{SVG}rect") if p.find(f"{SVG}title") is not None]
    first = [p for p in parts if p.get("x") == parts[0].get("x")]
    tops = [int(p.get("y", "0")) for p in first]
    assert tops == sorted(tops, reverse=True)
    assert all(0 < int(p.get("height", "0")) <= HEIGHT for p in parts)


def test_names_in_a_picture_are_text_whatever_they_hold() -> None:
    picture = bars("<b>&", {"<i>": {"x": 1}}, ["x"], unit="", written={1: '"'})
    assert ET.fromstring(picture).find(f"{SVG}title").text == "<b>&"  # type: ignore[union-attr]  # it is there  # noqa: S314  our own


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["--by", "hour"], "must be one of day, state"),
        (["--from", "2026-02-01", "--to", "2026-01-01"], "must be before --to"),
        ([*TIME, "--svg", "/nowhere/x.svg"], "cannot be written"),
    ],
)
def test_bad_usage_exits_2(january: Line, words: list[str], rule: str) -> None:
    said = january("money", *words)
    assert said.code == 2
    assert rule in said.err


def test_one_picture_holds_one_currency(january: Line, database_url: str) -> None:
    with owner(database_url) as database:
        change(database, "UPDATE payouts SET currency = 'USD' WHERE external_id = 'A-4'")
    path = str(january.folder / "money.svg")
    refused = january("money", *TIME, "--svg", path)
    assert (refused.code, "give --currency, one of INR, USD" in refused.err) == (2, True)
    assert january("money", *TIME, "--svg", path, "--currency", "USD").code == 0
