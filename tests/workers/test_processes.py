"""Each process ends in order on SIGTERM, and leaves no connection behind; no command does either."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from tests.servers import processes_of
from workers.cli import main
from workers.embedded import Home, join

ROOT = Path(__file__).parents[2]
READY_SECONDS_MAX = 180
STOP_SECONDS_MAX = 180
"""Processes are stopped in order, and a worker alone may take 25 s."""


def environment(**more: str) -> dict[str, str]:
    """Our environment without settings of Bursar's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BURSAR_")}
    return {**clean, "PYTHONUNBUFFERED": "1", **more}


@contextmanager
def started(
    *arguments: str, ready: str, **settings: str
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run `bursar` until it has said `ready`; yields it with the lines it wrote so far."""
    with subprocess.Popen(
        [sys.executable, "-m", "workers.cli", *arguments],
        cwd=ROOT,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        lines = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if ready in line:
                    break
            assert ready in "".join(lines[-1:]), "".join(lines)
            yield process, lines
        finally:
            process.kill()


def stop(process: subprocess.Popen[str], number: signal.Signals) -> int:
    """Ask to stop, and read what is still said until it has ended."""
    process.send_signal(number)
    said, _ = process.communicate(timeout=STOP_SECONDS_MAX)
    assert "Traceback" not in said, said
    return process.returncode


@pytest.fixture
def connections(superuser_url: str) -> Callable[[], list[str]]:
    """The applications of Bursar's that are connected to the test's database."""
    engine = sa.create_engine(superuser_url, poolclass=sa.pool.NullPool)

    def listed() -> list[str]:
        with engine.connect() as connection:
            return list(
                connection.scalars(
                    sa.text("""SELECT application_name FROM pg_stat_activity
                               WHERE datname = current_database() AND application_name LIKE 'bursar%'""")
                )
            )

    return listed


def until_none(connections: Callable[[], list[str]]) -> list[str]:
    """What is still connected once the server has had time to see the closed sockets."""
    deadline = time.monotonic() + 60
    while (left := connections()) and time.monotonic() < deadline:
        psutil.wait_procs([], timeout=0.05)
    return left


@pytest.mark.parametrize(
    ("command", "ready"),
    [
        (("worker",), "worker.ready"),
        (("worker", "--processes", "2"), "worker.ready"),
        (("scheduler",), "scheduler.ready"),
        (("web", "--port", "0"), "Uvicorn running"),
    ],
)
def test_a_process_that_gets_sigterm_ends_with_0_and_leaves_no_connection(
    command: tuple[str, ...],
    ready: str,
    database_url: str,
    redis_url: str,
    connections: Callable[[], list[str]],
) -> None:
    """F96."""
    settings = {"BURSAR_DATABASE_URL": database_url, "BURSAR_BROKER_URL": redis_url}
    with started(*command, ready=ready, **settings) as (process, _):
        children = psutil.Process(process.pid).children(recursive=True)
        assert stop(process, signal.SIGTERM) == 0
    assert until_none(connections) == []
    assert psutil.wait_procs(children, timeout=60)[1] == []


@pytest.mark.parametrize("command", [("doctor",), ("migrate",), ("audit",), ("doctor", "--json")])
def test_a_command_leaves_no_connection(
    command: tuple[str, ...],
    database_url: str,
    redis_url: str,
    connections: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It runs in this process, whose end would close what the command forgot."""
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    monkeypatch.setenv("BURSAR_BROKER_URL", redis_url)
    assert main(list(command)) == 0
    assert until_none(connections) == []


def test_a_worker_refuses_another_provider_account_and_says_which(
    database_url: str, redis_url: str
) -> None:
    """F95: it does not start, and does not try again and again."""
    settings = {
        "BURSAR_DATABASE_URL": database_url,
        "BURSAR_BROKER_URL": redis_url,
        "BURSAR_PAYOUT_PROVIDER": "razorpayx",
        "BURSAR_RAZORPAYX_KEY_ID": "k",
        "BURSAR_RAZORPAYX_KEY_SECRET": "hidden",
    }
    codes = []
    for command, account in (("migrate", "1001"), ("worker", "1002"), ("migrate", "sandbox-1")):
        done = subprocess.run(
            [sys.executable, "-m", "workers.cli", command],
            cwd=ROOT,
            env=environment(**settings, BURSAR_RAZORPAYX_ACCOUNT_NUMBER=account),
            capture_output=True,
            text=True,
            timeout=READY_SECONDS_MAX,
            check=False,
        )
        codes.append(done.returncode)
        assert done.returncode == 0 or account in done.stderr
        assert "hidden" not in done.stdout + done.stderr
    assert codes == [0, 1, 1]


def test_up_runs_everything_once_in_a_home_and_ctrl_c_ends_all_of_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with started("up", "--workers", "1", "--home", str(home), ready="worker.ready") as (process, _):
        again = subprocess.run(
            [sys.executable, "-m", "workers.cli", "up", "--home", str(home)],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=READY_SECONDS_MAX,
            check=False,
        )
        assert (again.returncode, "is up already" in again.stdout) == (0, True)
        joined = subprocess.run(
            [
                sys.executable,
                "-m",
                "workers.cli",
                "doctor",
                "--live",
                "--json",
                "--home",
                str(home),
            ],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=READY_SECONDS_MAX,
            check=False,
        )
        assert joined.returncode == 0, joined.stdout
        children = psutil.Process(process.pid).children(recursive=True)
        assert stop(process, signal.SIGINT) == 0
    assert psutil.wait_procs(children, timeout=60)[1] == []
    assert join(Home(home)) is None
    assert processes_of(Home(home).data.resolve()) == []
    assert not (home / "up.json").exists()
    Home(home).erase()


def test_up_whose_own_servers_vanish_for_good_stops_all_and_exits_3(tmp_path: Path) -> None:
    """Nobody starts them again: what runs would only fail, and a supervisor must hear of it."""
    home = Home(tmp_path / "home")
    with started("up", "--workers", "1", "--home", str(home.path), ready="worker.ready") as (
        process,
        _,
    ):
        children = psutil.Process(process.pid).children(recursive=True)
        keeper = json.loads(home.record.read_text())["keeper"]
        os.kill(keeper, signal.SIGKILL)
        said, _ = process.communicate(timeout=STOP_SECONDS_MAX)
    assert (process.returncode, "have ended for good" in said) == (3, True), said
    assert str(home.log("keeper")) in said
    assert psutil.wait_procs(children, timeout=60)[1] == []
    assert not (home.path / "up.json").exists()
    home.erase(within_seconds=30)
