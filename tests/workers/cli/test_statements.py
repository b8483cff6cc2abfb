"""`reconcile statement`, `statements list` and `money`, as whoever types them meets them."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from db import installation
from domain.money import format_major
from domain.payouts import FOLLOW, PROCESS
from domain.statement_lines import FIELDS
from domain.statements import Source, StatementLine
from jobs.catalog import Ports, build
from tests.builders import house, hurry, owner, seed
from tests.fakes.sandbox import running
from tests.jobs.payouts.statements import Desk, desk, left
from tests.workers.cli.conftest import Line
from workers.sandbox.settings import SandboxSettings


@pytest.fixture
def paid(bursar: Line, database_url: str) -> Iterator[Desk]:
    """Three payouts that a bank has paid, in a bound database."""
    with (
        house(database_url) as home,
        owner(database_url) as outside,
        desk(database_url, home, outside) as made,
    ):
        made.pay(3)
        yield made


def written(lines: Sequence[StatementLine], **changes: str) -> str:
    """Lines as a file has them, each with `changes`."""
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS)
    writer.writeheader()
    for line in lines:
        fields = {
            "line_id": line.line_id,
            "account": line.account,
            "occurred_at": line.occurred_at.isoformat(),
            "side": line.side.value,
            "amount": format_major(line.amount_minor, line.currency),
            "fee": "",
            "currency": line.currency,
            "balance": format_major(left(line.balance_minor), line.currency),
            "utr": line.utr or "",
            "source": line.source.value,
            "source_id": line.source_id or "",
        }
        writer.writerow(fields | changes)
    return out.getvalue()


def test_a_statement_that_agrees_exits_0_and_again_adds_nothing(bursar: Line, paid: Desk) -> None:
    file = bursar.file(written(paid.lines()), "s.csv")
    said = bursar("reconcile", "statement", file, "--grace-hours", "0", "--why", "week 1")
    assert (said.code, said.err.splitlines()[0][-16:]) == (0, ": 3 new, 0 known")
    assert said.out.splitlines()[1].split() == [
        *("matched", "3", "300.03", "INR", "0.00", "INR", "0.00", "INR"),
    ]
    again = bursar("reconcile", "statement", file, "--grace-hours", "0", "--json")
    assert "0 new, 3 known" in again.err
    assert [(row["class"], row["lines"]) for row in again.json] == [("matched", 3)]
    [change] = bursar("changes", "--json").json
    assert (change["what"], change["why"]) == ("statement.reconcile", "week 1: 3 lines")


def test_what_is_at_the_bank_only_or_in_the_books_only_exits_1_until_a_later_statement(
    bursar: Line, paid: Desk
) -> None:
    lines = paid.lines()
    gone = bursar.file(written([lines[0], lines[2]]), "a.csv")
    said = bursar(
        *("reconcile", "statement", gone, "--grace-hours", "0"),
        *("--to", f"{paid.home.bank.now + timedelta(days=1):%Y-%m-%dT%H:%M:%S}", "--json"),
    )
    assert said.code == 1
    assert {row["class"]: row["lines"] for row in said.json} == {
        "matched": 2,
        "missing": 1,
        "gap": 1,
    }
    assert "see `bursar findings list`" in said.err
    kinds = {row["kind"] for row in bursar("findings", "list", "--json").json}
    assert kinds == {"statement-missing", "statement-gap"}
    whole = bursar.file(written(lines), "b.csv")
    assert bursar("reconcile", "statement", whole, "--grace-hours", "0").code == 0
    assert bursar("findings", "list", "--json").json == []


def test_a_person_explains_a_line_with_a_reason_and_it_stays_explained(
    bursar: Line, paid: Desk
) -> None:
    lines = paid.lines()
    text = (
        written(lines)
        + written(lines[-1:], line_id="rent", source="other", source_id="", utr="").split("\n", 1)[
            1
        ]
    )
    file = bursar.file(text, "s.csv")
    assert bursar("reconcile", "statement", file, "--grace-hours", "0").code == 1
    [key] = [
        row["key"]
        for row in bursar("findings", "list", "--json").json
        if row["kind"] == "statement-line-unmatched"
    ]
    assert key == "statement-line-unmatched:razorpayx:rent"
    [line] = bursar("statements", "list", "--state", "unmatched", "--json").json
    assert line["line_id"] == "rent"
    assert bursar("findings", "resolve", key, "--why", "the office's rent").code == 0
    said = bursar("reconcile", "statement", file, "--grace-hours", "0", "--json")
    assert "explained" in {row["class"] for row in said.json}


def test_a_line_that_was_young_in_an_earlier_file_exits_1_once_it_is_old(
    bursar: Line, paid: Desk
) -> None:
    """A run judges lines of every file, so it answers for them too, whatever time its own file is of."""
    lines = paid.lines()
    rent = replace(
        lines[0],
        line_id="rent",
        occurred_at=lines[0].occurred_at - timedelta(days=2),
        balance_minor=left(lines[0].balance_minor) + lines[0].amount_minor,
        utr=None,
        source=Source.OTHER,
        source_id=None,
    )
    earlier = bursar.file(written([rent]), "thursday.csv")
    assert bursar("reconcile", "statement", earlier, "--grace-hours", "720").code == 0
    said = bursar("reconcile", "statement", bursar.file(written(lines), "friday.csv"), "--json")
    assert said.code == 1
    assert {row["class"]: (row["lines"], row["debits_minor"]) for row in said.json} == {
        "matched": (3, 30_003),
        "unmatched-other-time": (1, rent.amount_minor),
    }
    [found] = bursar("findings", "list", "--json").json
    assert found["key"] == "statement-line-unmatched:razorpayx:rent"


def test_a_first_statement_without_a_line_accuses_what_was_paid_in_its_time(
    bursar: Line, paid: Desk
) -> None:
    """Whoever says from when it is says that it is whole: an empty one shows none of the payouts."""
    empty = bursar.file(written([]), "s.csv")
    day, now = timedelta(days=1), paid.home.bank.now
    said = bursar(
        *("reconcile", "statement", empty, "--grace-hours", "0", "--json"),
        *("--from", f"{now - day:%Y-%m-%dT%H:%M:%S}", "--to", f"{now + day:%Y-%m-%dT%H:%M:%S}"),
    )
    assert said.code == 1
    assert [(row["class"], row["lines"]) for row in said.json] == [("missing", 3)]
    kinds = [row["kind"] for row in bursar("findings", "list", "--json").json]
    assert kinds == ["statement-missing"] * 3


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda text: text.replace("line_id", "id"), "field id: 'id': is not a known field"),
        (lambda text: text.replace(",", ";"), "must separate columns by commas"),
        (
            lambda text: text + text.split("\r\n")[1] + "\r\n",
            "stands on row 2 too, with the same content",
        ),
        (lambda text: text.replace("100.01", "-100.01"), "the side says in which direction"),
        (
            lambda text: text.replace("2323230000000001", "99"),
            "the account this database is bound to",
        ),
        (lambda text: text.replace("+00:00", ""), "must be ISO 8601 with its zone"),
        (lambda _: "", "must be the header line_id,account"),
        (lambda text: text.split("\r\n")[0], "has no lines: say what time it is of"),
    ],
    ids=["header", "semicolons", "twice", "negative", "account", "zone", "empty", "no lines"],
)
def test_a_file_that_breaks_a_rule_is_named_and_nothing_is_written(
    bursar: Line, paid: Desk, change: object, rule: str
) -> None:
    """F88: exit 2; file, row, field, value, rule."""
    assert callable(change)
    file = bursar.file(change(written(paid.lines())), "s.csv")
    said = bursar("reconcile", "statement", file)
    assert said.code == 2, said.err
    assert rule in said.err
    assert bursar("statements", "list", "--json").json == []


def test_a_file_a_spreadsheet_saved_is_read_where_nothing_was_lost_and_told_where_it_was(
    bursar: Line, paid: Desk
) -> None:
    """A mark at its beginning, other line ends and other columns' order harm nothing; a workbook is none."""
    text = "\ufeff" + written(paid.lines())
    file = bursar.file(text, "s.csv")
    assert bursar("reconcile", "statement", file, "--grace-hours", "0").code == 0
    rounded = bursar.file(written(paid.lines(), utr="1.23457E+11"), "r.csv")
    assert "a spreadsheet rounds long numbers" in bursar("reconcile", "statement", rounded).err
    book = Path(bursar.folder / "s.xlsx")
    book.write_bytes(b"PK\x03\x04")
    assert "save the sheet as CSV" in bursar("reconcile", "statement", str(book)).err


def test_a_line_with_other_content_than_before_is_named_by_its_row(
    bursar: Line, paid: Desk
) -> None:
    lines = paid.lines()
    bursar("reconcile", "statement", bursar.file(written(lines), "a.csv"))
    other = written(lines).replace("100.01", "100.09")
    said = bursar("reconcile", "statement", bursar.file(other, "b.csv"))
    assert said.code == 2
    assert "b.csv row 3 field amount: '10009'" in said.err or "field amount: '10009'" in said.err


def test_json_lines_say_the_same(bursar: Line, paid: Desk) -> None:
    rows = csv.DictReader(io.StringIO(written(paid.lines())))
    text = "".join(json.dumps(row) + "\n" for row in rows)
    said = bursar("reconcile", "statement", bursar.file(text, "s.jsonl"), "--grace-hours", "0")
    assert said.code == 0, said.err


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ([], "name a file, or give --fetch"),
        (["s.csv", "--fetch"], "name a file, or give --fetch"),
        (["none.csv"], "cannot be read"),
        (["--fetch"], "BURSAR_PAYOUT_PROVIDER"),
        (["--fetch", "--grace-hours", "-1"], "--grace-hours"),
    ],
    ids=["neither", "both", "no file", "no bank", "grace"],
)
def test_bad_usage_exits_2(bursar: Line, paid: Desk, words: list[str], rule: str) -> None:
    said = bursar("reconcile", "statement", *words)
    assert (said.code, said.out) == (2, "")
    assert rule in said.err


def test_an_unbound_database_has_no_statement(bursar: Line) -> None:
    said = bursar("reconcile", "statement", bursar.file("x", "s.csv"))
    assert said.code == 1
    assert "bound to no provider account" in said.err


def test_the_list_is_read_from_the_bank_itself(
    bursar: Line, database_url: str, tmp_path: Path
) -> None:
    settings = SandboxSettings(storage=tmp_path / "bank.sqlite", process_seconds=0.0)
    with running(settings) as sandbox, sandbox.client() as client, owner(database_url) as outside:
        with bursar.database.begin() as tx:
            installation.bind(tx, client.provider, client.account)
        jobs = build(Ports(bank=client))
        seed(database_url, 4)
        with house(database_url, jobs=jobs) as home:
            home.run(PROCESS)
            hurry(outside)
            home.run(FOLLOW)
        for name, value in {
            "BURSAR_PAYOUT_PROVIDER": "razorpayx",
            "BURSAR_RAZORPAYX_URL": sandbox.url,
            "BURSAR_RAZORPAYX_KEY_ID": settings.key_id,
            "BURSAR_RAZORPAYX_KEY_SECRET": settings.key_secret,
            "BURSAR_RAZORPAYX_ACCOUNT_NUMBER": settings.account_number,
        }.items():
            bursar.set(name, value)
        sandbox.deposit(5_000)
        said = bursar("reconcile", "statement", "--fetch", "--to", "2100-01-01", "--json")
        assert said.code == 0, said.err
        assert {row["class"]: row["lines"] for row in said.json} == {"matched": 4, "deposit": 1}
        again = bursar("reconcile", "statement", "--fetch", "--to", "2100-01-01")
        assert "0 new, 5 known" in again.err
        sandbox.order("error_before", call="read", times=50)
        assert bursar("reconcile", "statement", "--fetch").code == 3
