"""How listings are shown: JSON for programs, CSV that no sheet runs, tables that keep their columns."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
import typer

from workers.cli.output import money_totals, progress, show, show_one

ROWS = [
    {
        "id": UUID(int=1),
        "payee": "Asha Rao",
        "amount_minor": 125050,
        "currency": "INR",
        "error": None,
        "created_at": datetime(2026, 11, 21, 6, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    },
    {
        "id": UUID(int=2),
        "payee": '=HYPERLINK("http://x")',
        "amount_minor": 5,
        "currency": "INR",
        "error": "-1+1",
        "created_at": datetime(2026, 11, 21, 7, tzinfo=UTC),
    },
]
COLUMNS = ["payee", "amount_minor", "error"]


def test_json_is_one_array_of_flat_objects_with_utc_times(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show(ROWS, COLUMNS, json=True, totals={"INR": 125055})
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found[0]["id"] == "00000000-0000-0000-0000-000000000001"
    assert found[0]["amount_minor"] == 125050
    assert found[0]["created_at"] == "2026-11-21T00:30:00.000Z"
    assert found[0]["error"] is None
    assert err == "total 1250.55 INR\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["payouts.process", "payouts.follow"], "payouts.process, payouts.follow"),
        (
            {"payout": [UUID(int=1), UUID(int=2)], "period": "hour"},
            f"payout={UUID(int=1)} payout={UUID(int=2)} period=hour",
        ),
        ({}, ""),
        ([{"debit": 1}], '[{"debit": 1}]'),
        ({"a": {"b": None}}, '{"a": {"b": null}}'),
    ],
)
def test_what_is_nested_is_one_line_of_text_in_every_form(
    value: object, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show([{"id": 1, "what": value}], ["id", "what"], json=True)
    assert json.loads(capsys.readouterr().out) == [{"id": 1, "what": text}]
    show([{"id": 1, "what": value}], ["id", "what"], csv=True)
    assert list(csv.reader(io.StringIO(capsys.readouterr().out)))[1] == ["1", text]
    show([{"id": 1, "what": value}], ["id", "what"])
    assert capsys.readouterr().out.splitlines()[1].split() == ["1", *text.split()]


def test_an_empty_listing_is_an_empty_array(capsys: pytest.CaptureFixture[str]) -> None:
    show([], COLUMNS, json=True)
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_csv_is_a_formula_and_numbers_stay_numbers(
    start: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show([{"payee": f"{start}cmd", "amount_minor": -5}], COLUMNS, csv=True)
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    shown = start.replace("\r", "\N{SYMBOL FOR CARRIAGE RETURN}")
    assert rows == [["payee", "amount_minor"], [f"'{shown}cmd", "-5"]]


def test_a_csv_without_rows_still_has_its_header(capsys: pytest.CaptureFixture[str]) -> None:
    show([], COLUMNS, csv=True)
    assert capsys.readouterr().out == "payee,amount_minor,error\n"


def test_a_piped_table_is_aligned_and_shows_major_units(capsys: pytest.CaptureFixture[str]) -> None:
    show(ROWS, COLUMNS, totals=money_totals(ROWS))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["payee", "amount", "error"]
    assert lines[1].rstrip().endswith("1250.50 INR")
    assert lines[1].index("1250.50") == lines[2].index("0.05") - 3
    assert lines[-1] == "total 1250.55 INR"


def test_a_listing_with_nothing_in_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show([], COLUMNS, empty="no payouts")
    assert capsys.readouterr().out == "no payouts\n"


def test_json_and_csv_at_once_are_bad_usage() -> None:
    with pytest.raises(typer.BadParameter):
        show(ROWS, COLUMNS, json=True, csv=True)


def test_totals_are_kept_apart_by_currency() -> None:
    rows = [*ROWS, {"amount_minor": 700, "currency": "USD"}]
    assert money_totals(rows) == {"INR": 125055, "USD": 700}


def test_terminal_control_in_a_name_is_not_sent_to_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_one({"payee": "\x1b[31mred\x07"})
    assert "\x1b" not in capsys.readouterr().out


def test_progress_is_silent_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("rows", 10) as advance:
        advance(5)
    assert capsys.readouterr() == ("", "")


def test_one_thing_shows_major_units_under_a_name_that_does_not_say_minor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_one({"amount_minor": 125050, "currency": "INR", "created_minor_INR": 5})
    assert capsys.readouterr().out.splitlines() == [
        "amount       1250.50 INR",
        "currency     INR",
        "created_INR  0.05 INR",
    ]


PAYOUTS = [
    {
        "external_id": f"WEEK-48-{n:06}",
        "payee": "Asha Rao and Daughters",
        "state": "PROCESSING",
        "error": "the beneficiary's bank did not answer in time, and nobody knows why",
        "id": UUID(int=2**127 + n),
    }
    for n in range(3)
]


@pytest.mark.parametrize("columns", [60, 70, 80, 100, 120])
def test_no_id_is_broken_on_a_narrow_terminal_and_what_has_no_room_is_named(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    show(PAYOUTS, list(PAYOUTS[0]), key="id")
    lines = re.sub("\x1b\\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    for row in PAYOUTS:
        assert [
            line for line in lines if str(row["id"]) in line and str(row["external_id"]) in line
        ]
    assert max(len(line) for line in lines if not line.startswith("no room for")) <= columns
    heads = next(line for line in lines if "external id" in line).split()
    assert [name for name in ("payee", "state", "error") if name not in heads] == (
        lines[-1].removeprefix("no room for ").partition(":")[0].split(", ")
        if lines[-1].startswith("no room")
        else []
    )
    assert ("state" in heads) is (columns >= 70)


def test_a_terminal_too_narrow_for_a_table_shows_it_field_by_field(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    show(ROWS, [*COLUMNS, "id"])
    out = capsys.readouterr().out
    assert "id      00000000-0000-0000-0000-000000000001\n" in out
    monkeypatch.setenv("COLUMNS", "200")
    show(ROWS, [*COLUMNS, "id"])
    assert "id      0" not in capsys.readouterr().out
