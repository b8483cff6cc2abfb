"""One command line: errors become exit codes, options may stand anywhere, pipes may break."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import BadInputError, BrokenError, BusyError, UnreachableError
from tests.workers.cli.tree import commands
from workers import cli
from workers.cli import hoist, main

ROOT = Path(__file__).parents[3]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `bursar` as an operator would, with nothing of ours in its environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BURSAR_")}
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", *arguments],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_help_names_every_command_and_exits_0() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("up", "demo", "migrate", "doctor", "worker", "scheduler", "web", "sandbox"):
        assert f"  {command} " in done.stdout


def test_every_command_option_and_argument_says_what_it_is_for() -> None:
    silent = [name for name, command in commands() if not command.help]
    silent += [
        f"{name} {one.name}"
        for name, command in commands()
        for one in command.params
        if not getattr(one, "help", None)
    ]
    assert silent == []


def test_help_imports_neither_database_nor_broker() -> None:
    code = (
        "import sys; from workers.cli import main; main(['--help']);"
        "print([m for m in ('sqlalchemy', 'dramatiq', 'redis', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments", [["nonsense"], ["up", "--worker", "2"], ["--home"]])
def test_bad_usage_exits_2_and_says_what_is_wrong(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_setting_that_breaks_a_rule_exits_2_and_is_named(tmp_path: Path) -> None:
    done = run("doctor", "--home", str(tmp_path), BURSAR_LEASE_SECONDS="soon")
    assert done.returncode == 2
    assert "BURSAR_LEASE_SECONDS" in done.stderr


def test_one_url_without_the_other_exits_2_and_names_the_missing_one(tmp_path: Path) -> None:
    done = run("migrate", "--home", str(tmp_path), BURSAR_DATABASE_URL="postgresql://nowhere/x")
    assert done.returncode == 2
    assert "BURSAR_BROKER_URL" in done.stderr


def test_where_nothing_runs_a_command_exits_3_and_says_how_to_start(tmp_path: Path) -> None:
    done = run("migrate", "--home", str(tmp_path / "home"))
    assert done.returncode == 3
    assert "bursar up" in done.stderr
    assert not (tmp_path / "home").exists()


def test_a_database_that_is_away_exits_3_and_names_its_setting(tmp_path: Path) -> None:
    done = run(
        "doctor",
        "--home",
        str(tmp_path),
        BURSAR_DATABASE_URL="postgresql+psycopg://u:hidden@127.0.0.1:1/x",
        BURSAR_BROKER_URL="redis://127.0.0.1:1",
    )
    assert done.returncode == 3
    assert "BURSAR_DATABASE_URL" in done.stdout
    assert "hidden" not in done.stdout + done.stderr


def test_options_of_the_program_may_stand_after_the_command() -> None:
    assert hoist(["migrate", "--home", "x", "--json"]) == ["--home", "x", "migrate", "--json"]
    assert hoist(["approve", "--as=asha", "7"]) == ["--as=asha", "approve", "7"]
    assert hoist(["import", "--", "--home"]) == ["import", "--", "--home"]
    assert hoist(["payouts", "list", "--home"]) == ["--home"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInputError("a.csv row 3 field amount", "12,5", "must be decimal"), 2),
        (BusyError("run 7 holds it"), 1),
        (UnreachableError("no server"), 3),
        (BrokenError("debits are not credits"), 1),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
    ],
)
def test_every_error_has_its_exit_code(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(_arguments: list[str]) -> int:
        return cli.exit_code(error)

    monkeypatch.setattr(cli, "_run", fail)
    assert main([]) == code
    said = capfd.readouterr().err
    assert str(error) in said or code == 141
    assert "Traceback" not in said


def test_a_reader_that_goes_away_is_not_answered_with_a_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "--help"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(180) == 141
    assert said == ""
