"""`bursar import payouts`: all or nothing, once, with errors that name what is wrong."""

import json
from pathlib import Path

from db import installation
from tests.operating import query
from tests.workers.cli.conftest import Line

HEADER = "external_id,payee,fund_account_id,amount,currency,mode,purpose,narration\n"
GOOD = (
    HEADER + "A-1,Asha Rao,fa_1,1250.50,INR,IMPS,payout,Week 1\nA-2,Bela,fa_2,10.00,INR,,payout,\n"
)


def count(bursar: Line, table: str = "payouts") -> int:
    return int(query(bursar.database, f"SELECT count(*) AS n FROM {table}")[0].n)  # noqa: S608 - a table's name


def test_a_file_is_imported_and_its_sum_told(bursar: Line) -> None:
    said = bursar("import", "payouts", bursar.file(GOOD), "--json")
    assert said.code == 0
    assert (said.json["created"], said.json["created_minor_INR"]) == (2, 126_050)
    assert count(bursar, "work") == 0


def test_the_same_file_twice_creates_nothing_new(bursar: Line) -> None:
    file = bursar.file(GOOD)
    bursar("import", "payouts", file, "--approve")
    said = bursar("import", "payouts", file, "--approve", "--json")
    assert (said.code, said.json["created"], said.json["existing"]) == (0, 0, 2)
    assert count(bursar, "work") == 2


def test_a_database_bound_to_stripe_takes_transfers_alone(bursar: Line) -> None:
    """Whose rules hold is asked of the database, not of who runs the command."""
    with bursar.database.begin() as tx:
        installation.bind(tx, "stripe", "acct_1")
    said = bursar("import", "payouts", bursar.file(GOOD), "--json")
    assert said.code == 2
    assert "must be a connected account" in said.err
    transfer = HEADER + "A-1,Asha Rao,acct_2,1250.50,USD,,payout,Week 1\n"
    said = bursar("import", "payouts", bursar.file(transfer), "--json")
    assert (said.code, said.json["created_minor_USD"]) == (0, 125_050)


def test_one_bad_row_leaves_nothing_written(bursar: Line) -> None:
    said = bursar("import", "payouts", bursar.file(GOOD + "A-3,Chitra,fa_3,1e3,INR,,payout,\n"))
    assert said.code == 2
    assert "payouts.csv row 4 field amount: '1e3'" in said.err
    assert count(bursar) == 0


def test_partial_imports_the_rest_and_exits_1(bursar: Line) -> None:
    file = bursar.file(GOOD + "A-3,Chitra,fa_3,1e3,INR,,payout,\n")
    said = bursar("import", "payouts", file, "--partial", "--json")
    assert (said.code, said.json["created"], said.json["errors"]) == (1, 2, 1)
    assert "row 4 field amount" in said.err


def test_other_content_under_the_same_id_names_row_and_field(bursar: Line) -> None:
    bursar("import", "payouts", bursar.file(GOOD))
    said = bursar("import", "payouts", bursar.file(GOOD.replace("10.00", "11.00")))
    assert said.code == 2
    assert "row 3 field amount: '11.00'" in said.err
    assert "'10.00'" in said.err


def test_a_dry_run_writes_nothing(bursar: Line) -> None:
    said = bursar("import", "payouts", bursar.file(GOOD), "--approve", "--dry-run", "--json")
    assert (said.code, said.json["created"], said.json["approved"]) == (0, 2, 2)
    assert count(bursar) == count(bursar, "payees") == 0


def test_json_lines_are_read_too(bursar: Line) -> None:
    names = HEADER.strip().split(",")
    rows = [dict(zip(names, row.split(","), strict=True)) for row in GOOD.splitlines()[1:]]
    file = bursar.file("".join(json.dumps(row) + "\n" for row in rows), "payouts.jsonl")
    assert bursar("import", "payouts", file, "--json").json["created"] == 2


def test_a_time_without_approval_or_zone_is_refused(bursar: Line) -> None:
    file = bursar.file(GOOD)
    assert bursar("import", "payouts", file, "--at", "2027-01-01T00:00Z").code == 2
    said = bursar("import", "payouts", file, "--approve", "--at", "2027-01-01T00:00")
    assert said.code == 2
    assert "zone" in said.err
    assert count(bursar) == 0


def test_a_sample_imports(bursar: Line) -> None:
    sample = bursar("sample", "payouts", "--count", "50", "--seed", "7")
    assert bursar("sample", "payouts", "--count", "50", "--seed", "7").out == sample.out
    said = bursar("import", "payouts", bursar.file(sample.out), "--json")
    assert said.json["created"] == 50


def test_a_missing_file_is_bad_input(bursar: Line, tmp_path: Path) -> None:
    said = bursar("import", "payouts", str(tmp_path / "none.csv"))
    assert said.code == 2
    assert "none.csv" in said.err
