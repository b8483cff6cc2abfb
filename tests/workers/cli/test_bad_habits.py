"""What an operator in a hurry types: each is told what is wrong, and nothing is written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import UnreachableError
from domain.payouts import PROCESS
from tests.operating import change, one, query
from tests.workers.cli.conftest import Line

ROOT = Path(__file__).parents[3]
HUGE = "99999999999999999999"


def run(
    *arguments: str | bytes, home: Path, closed: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """Run the program as a shell does; `closed` is a redirection such as `<&-`."""
    command = ["sh", "-c", f'"$@" {closed}', "sh", sys.executable, "-m", "workers.cli", *arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BURSAR_")}
    environment["BURSAR_HOME"] = str(home)
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)


@pytest.mark.parametrize(
    "words",
    [
        ["ledger", "balance", "1", "--at", "9999-12-31T23:59:59-14:00"],
        ["ledger", "balance", "1", "--at", "0001-01-01T00:00+14:00"],
        ["retry", HUGE, "--why", "x"],
        ["cancel", HUGE, "--why", "x"],
        ["runs", "--job", "payouts.proces"],
        ["work", "--job", "payouts.proces"],
        ["work", "unpark", "--job", "payouts.proces", "--why", "x"],
        ["enqueue", PROCESS, "--key", ""],
        ["enqueue", PROCESS, "--key", "k" * 201],
        ["enqueue", PROCESS, "--why", " "],
        ["enqueue", PROCESS, "--outputs", "/nowhere/at/all"],
        ["import", "payouts", ""],
        ["schedules", "set", "payouts.follow", "--tz", "", "--why", "x"],
        ["schedules", "pause", "payouts.follow", "--until", "2020-01-01T00:00Z", "--why", "x"],
        ["maintenance", "on", "--until", "2020-01-01T00:00Z", "--why", "x"],
        ["withdraw", "99", "--why", "x"],
        ["maintenance", "history", "nope"],
        ["findings", "take", "nope", "--why", "x"],
        ["findings", "resolve", "nope", "--why", "x"],
        ["findings", "mute", "nope", "--why", "x"],
        ["work", "unpark", "nope", "--why", "x"],
    ],
)
def test_what_cannot_be_meant_exits_2_and_leaves_nothing(bursar: Line, words: list[str]) -> None:
    said = bursar(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err
    for table in ("runs", "schedule_settings", "switches", "proposals"):
        assert query(bursar.database, f"SELECT * FROM {table}") == []  # noqa: S608 - names of ours


def test_maintenance_that_is_on_is_not_ended_by_a_time_that_is_over(bursar: Line) -> None:
    assert bursar("maintenance", "on", "--why", "upgrade").code == 0
    assert bursar("maintenance", "on", "--why", "x", "--until", "2020-01-01T00:00Z").code == 2
    assert query(bursar.database, "SELECT is_on, until FROM switches") == [(True, None)]


@pytest.mark.parametrize(
    "words",
    [
        ["payout.resolve", "nope", "--set", "result=unpaid"],
        ["effect.resolve", "nope", "--set", "result=unpaid"],
        ["effect.resolve", "00000000-0000-0000-0000-000000000000", "--set", "result=unpaid"],
        ["lease.break", "nope"],
        ["provider.rebind", "x", "--set", "provider=paypal", "--set", "account=1"],
        ["provider.rebind", "x", "--set", "provider=stripe", "--set", "account=1"],
    ],
)
def test_what_could_never_be_carried_out_is_not_proposed(bursar: Line, words: list[str]) -> None:
    token = bursar("operators", "add", "asha", "--why", "x", "--json").json["token"]
    bursar.set("BURSAR_OPERATOR_TOKEN", token)
    assert bursar("propose", *words, "--why", "x").code == 2
    assert query(bursar.database, "SELECT * FROM proposals") == []


def test_a_decision_in_the_wrong_state_says_which_states_it_is_for(bursar: Line) -> None:
    one(bursar.database)
    said = bursar("payouts", "retry", "A-1", "--why", "x", "--json")
    assert (said.code, said.json[0]["meaning"]) == (1, "retry is for FAILED payouts")
    assert "--all-approved" in bursar("payouts", "cancel", "--why", "x").err


def test_a_run_that_is_not_waited_for_tells_ci_its_number(bursar: Line, tmp_path: Path) -> None:
    file = tmp_path / "outputs"
    made = bursar("enqueue", PROCESS, "--outputs", str(file), "--json").json
    assert f"run={made['run']}\n" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (UnreachableError("away"), 3)]
)
def test_who_cannot_wait_on_is_told_how_to_follow_the_run(
    bursar: Line, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("workers.cli.waiting._look", fail)
    said = bursar("enqueue", PROCESS, "--wait")
    run_ = query(bursar.database, "SELECT id FROM runs")[0].id
    assert said.code == code
    assert f"bursar why run {run_}" in said.err


def test_p03_where_no_lease_can_be_had_nothing_is_sent_and_it_says_so(bursar: Line) -> None:
    """Invariant 76: leases and payouts are one database; without it a money job is an error, never a success."""
    one(bursar.database)
    bursar.set("BURSAR_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    said = bursar("enqueue", PROCESS, "--inline")
    assert said.code == 3
    assert "127.0.0.1" in said.err
    found = query(bursar.database, "SELECT state FROM payouts")
    assert [row.state for row in found] == ["APPROVED"]
    assert query(bursar.database, "SELECT FROM runs") == []


def test_a_run_that_ctrl_c_stopped_in_this_process_is_not_said_to_go_on(
    bursar: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        change(bursar.database, "UPDATE runs SET state = 'stopped'")
        raise KeyboardInterrupt

    monkeypatch.setattr("workers.cli.inline.execute", stopped)
    said = bursar("enqueue", "upkeep.audit", "--inline")
    assert said.code == 130
    assert "was stopped, and what it left waits for the next" in said.err


def test_an_import_from_a_closed_standard_input_is_bad_input(tmp_path: Path) -> None:
    said = run("import", "payouts", "-", home=tmp_path, closed="<&-")
    assert said.returncode == 2
    assert said.stderr.startswith(b"bursar: standard input: '-': cannot be read")


def test_words_that_are_no_text_are_refused_but_files_may_have_any_name(tmp_path: Path) -> None:
    said = run("payouts", "show", b"\xff\xfe", home=tmp_path)
    assert said.returncode == 2
    assert b"must be UTF-8 text" in said.stderr
    name = os.fsencode(tmp_path) + b"/\xff.csv"
    Path(os.fsdecode(name)).write_bytes(b"")
    said = run("import", "payouts", name, home=tmp_path)
    assert b"must be the header" in said.stderr


@pytest.mark.parametrize("command", ["up", "demo", "payouts list"])
def test_a_home_that_is_a_file_is_bad_input(tmp_path: Path, command: str) -> None:
    file = tmp_path / "file"
    file.touch()
    for home in (file, file / "below"):
        said = run(*command.split(), "--home", str(home), home=tmp_path)
        assert said.returncode == 2
        assert b"must be a folder" in said.stderr


def test_output_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    assert run("--help", home=tmp_path, closed=">&-").returncode == 0
    assert run("payouts", "list", home=tmp_path, closed="2>&-").returncode == 3
    full = run("sample", "payouts", home=tmp_path, closed=">/dev/full")
    assert (full.returncode, full.stderr) == (1, b"bursar: No space left on device\n")
