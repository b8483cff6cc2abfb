"""A home's servers: started, shared, stopped, killed and recovered, side by side."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
import sqlalchemy as sa

from domain.errors import BusyError, UnreachableError
from tests.servers import TUNING, kill_all, processes_of
from workers.embedded import Home, Servers, join, start

ROOT = Path(__file__).parents[3]
GONE_SECONDS_MAX = 60.0
KEEP = """
import sys
from pathlib import Path
from workers.embedded import Home, Tuning, start
servers = start(Home(Path(sys.argv[1])), tuning=Tuning(shared_buffers_mb=64))
print(servers.database_url, flush=True)
print(servers.broker_url, flush=True)
sys.stdin.readline()
servers.stop()
print("stopped", flush=True)
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers that tests only look at, below a folder that is closed to others."""
    folder = tmp_path_factory.mktemp("closed")
    folder.chmod(0o700)
    home = Home(folder / "home")
    with start(home, tuning=TUNING) as servers:
        yield servers
    home.erase()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home that is erased, also where its data lie elsewhere."""
    made = Home(tmp_path / "home")
    yield made
    made.erase()


def ask(servers: Servers, statement: str) -> list[tuple[object, ...]]:
    """Run one statement on the home's database and commit it."""
    engine = sa.create_engine(servers.database_url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


def wait_gone(home: Home) -> None:
    """Return when no process works on the home's data any more."""
    data = home.data.resolve()
    deadline = time.monotonic() + GONE_SECONDS_MAX
    while left := processes_of(data):
        assert time.monotonic() < deadline, f"still running: {left}"
        psutil.wait_procs(left, timeout=0.2)


@contextmanager
def user_process(
    home: Path, *, python: str = sys.executable, **more: object
) -> Iterator[subprocess.Popen[str]]:
    """Run a process that starts the home's servers and keeps them until told or killed."""
    with subprocess.Popen(
        [python, "-c", KEEP, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        **more,  # type: ignore[call-overload]  # user and environment, passed as they are
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_servers_start_answer_stop_and_start_again_with_their_data(home: Home) -> None:
    with start(home, tuning=TUNING) as servers:
        ask(servers, "CREATE TABLE kept AS SELECT 42 AS answer")
        with redis.Redis.from_url(servers.broker_url) as client:
            client.set("kept", "yes")
    assert processes_of(home.data.resolve()) == []
    assert not servers.sockets.exists()
    with start(home, tuning=TUNING) as servers:
        assert ask(servers, "SELECT answer FROM kept") == [(42,)]
        with redis.Redis.from_url(servers.broker_url) as client:
            assert client.get("kept") == b"yes"


def test_servers_are_safe_ones_and_listen_on_no_network(running: Servers) -> None:
    names = ("fsync", "synchronous_commit", "full_page_writes", "listen_addresses")
    assert [ask(running, f"SHOW {name}")[0][0] for name in names] == ["on", "on", "on", ""]
    assert ask(running, "SHOW shared_buffers") == [("64MB",)]
    assert ask(running, "SHOW max_connections") == [("200",)]
    with redis.Redis.from_url(running.broker_url) as client:
        facts = client.config_get("*")
    assert facts["appendonly"] == "yes"
    assert facts["appendfsync"] == "everysec"
    assert facts["maxmemory-policy"] == "noeviction"
    assert facts["port"] == "0"
    assert running.sockets.stat().st_mode & 0o777 == 0o700


def test_bursars_role_is_no_superuser(running: Servers) -> None:
    is_super = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    assert ask(running, is_super) == [(False,)]
    engine = sa.create_engine(running.superuser_url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        assert connection.exec_driver_sql(is_super).scalar_one() is True


def test_second_start_joins_and_the_last_one_to_leave_stops_them(home: Home) -> None:
    first = start(home, tuning=TUNING)
    second = start(home, tuning=TUNING)
    third = join(home)
    assert third is not None
    assert first.database_url == second.database_url == third.database_url
    first.stop()
    assert ask(second, "SELECT 1") == [(1,)]
    second.stop()
    assert ask(third, "SELECT 1") == [(1,)]
    third.stop()
    assert join(home) is None
    assert processes_of(home.data.resolve()) == []


def test_join_of_a_home_without_servers_is_none_and_makes_nothing(tmp_path: Path) -> None:
    assert join(Home(tmp_path / "nothing")) is None
    assert list(tmp_path.iterdir()) == []


def test_two_homes_live_side_by_side(running: Servers, home: Home) -> None:
    with start(home, tuning=TUNING) as beside:
        ask(running, "CREATE TABLE only_here (n int)")
        assert ask(beside, "SELECT to_regclass('only_here')") == [(None,)]
        with redis.Redis.from_url(running.broker_url) as client:
            client.set("only", "here")
        with redis.Redis.from_url(beside.broker_url) as client:
            assert client.get("only") is None


def test_two_processes_starting_at_once_share_one_pair(home: Home) -> None:
    with user_process(home.path) as one, user_process(home.path) as two:
        assert one.stdout is not None
        assert two.stdout is not None
        assert one.stdout.readline() == two.stdout.readline() != ""
    wait_gone(home)


def test_sigkill_of_the_only_user_leaves_nothing_running(home: Home) -> None:
    with user_process(home.path) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        assert len(processes_of(home.data.resolve())) > 1
        process.kill()
    wait_gone(home)
    assert join(home) is None


def test_sigkill_of_the_keeper_ends_the_servers_and_the_next_start_recovers(home: Home) -> None:
    servers = start(home, tuning=TUNING)
    ask(servers, "CREATE TABLE kept AS SELECT 7 AS n")
    os.kill(json.loads(home.record.read_text())["keeper"], signal.SIGKILL)
    with home.keeper_lock() as lock:
        assert lock.take(within_seconds=GONE_SECONDS_MAX)
    with start(home, tuning=TUNING) as again:
        assert again.sockets != servers.sockets
        assert not servers.sockets.exists()
        assert ask(again, "SELECT n FROM kept") == [(7,)]
        servers.stop()
        assert ask(again, "SELECT n FROM kept") == [(7,)]


def test_sigkill_of_everything_loses_nothing_acknowledged(home: Home) -> None:
    """F19: the whole tree is killed at once; every commit that was acknowledged is there."""
    servers = start(home, tuning=TUNING)
    ask(servers, "CREATE TABLE kept (n int)")
    engine = sa.create_engine(servers.database_url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        for number in range(200):
            connection.exec_driver_sql("INSERT INTO kept VALUES (%s)", (number,))
            connection.commit()
        keeper = psutil.Process(json.loads(home.record.read_text())["keeper"])
        keeper.suspend()  # else it is quick enough to start them again
        kill_all([*processes_of(home.data.resolve()), keeper])
        connection.invalidate()
    servers.stop()
    with start(home, tuning=TUNING) as again:
        assert ask(again, "SELECT count(*) FROM kept") == [(200,)]


def test_keeper_starts_a_killed_server_again(home: Home) -> None:
    with start(home, tuning=TUNING) as servers:
        facts = json.loads(home.record.read_text())
        os.kill(facts["redis"], signal.SIGKILL)
        deadline = time.monotonic() + GONE_SECONDS_MAX
        with redis.Redis.from_url(servers.broker_url, retry=None) as client:
            while True:
                try:
                    assert client.info("server")["process_id"] != facts["redis"]
                    break
                except redis.ConnectionError:
                    assert time.monotonic() < deadline


def test_sigterm_of_the_keeper_stops_the_servers_cleanly(home: Home) -> None:
    servers = start(home, tuning=TUNING)
    os.kill(json.loads(home.record.read_text())["keeper"], signal.SIGTERM)
    wait_gone(home)
    assert "database system is shut down" in home.log("postgres").read_text()
    servers.stop()


@pytest.mark.parametrize("name", ["a b'per%20cent+&zoë-ü", "q'u\"o$HOME`x`c,o:m;#?"])
def test_homes_may_have_odd_names(tmp_path: Path, name: str) -> None:
    home = Home(tmp_path / name)
    with start(home, tuning=TUNING) as servers:
        assert ask(servers, "SELECT 1") == [(1,)]
        with redis.Redis.from_url(servers.broker_url) as client:
            assert client.ping()
    home.erase()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnreachableError, match="file/home cannot be used"):
        start(Home(tmp_path / "file" / "home"))


def test_a_failing_server_shows_the_end_of_its_log(home: Home) -> None:
    with start(home, tuning=TUNING):
        pass
    (home.data.resolve() / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(UnreachableError, match="not compatible with this version"):
        start(home, tuning=TUNING)
    assert processes_of(home.data.resolve()) == []


def others_python() -> bool:
    """Whether a user other than root finds a Python of our version (ours may lie in /root)."""
    question = "import sys; print(sys.version_info[:2])"
    try:
        done = subprocess.run(
            ["/usr/bin/python3", "-c", question], check=True, capture_output=True, text=True
        )
    except OSError:
        return False
    return done.stdout.strip() == str(sys.version_info[:2])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.skipif(not others_python(), reason="no /usr/bin/python3 of this version")
def test_a_plain_user_with_a_private_home_can_do_all_this() -> None:
    nobody = pwd.getpwnam("nobody")
    folder = Path(tempfile.mkdtemp())
    try:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        with user_process(
            folder / "home",
            python="/usr/bin/python3",
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            env={
                "HOME": str(folder),
                "TMPDIR": str(folder),
                "PYTHONPATH": sysconfig.get_path("purelib"),
            },
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            url = sa.make_url(process.stdout.readline().strip())
            assert Path(str(url.query["host"])).is_relative_to(folder)
            with closing(psycopg.connect(host=str(url.query["host"]), user="bursar")) as link:
                assert link.execute("SELECT current_user").fetchone() == ("bursar",)
            owners = {process.uids().effective for process in processes_of(folder)}
            assert owners == {nobody.pw_uid}
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.read().endswith("stopped\n")
    finally:
        shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must not run Postgres itself")
def test_root_runs_them_as_somebody_else_and_changes_no_parents_rights(running: Servers) -> None:
    home = running.home
    runners = {process.uids().real for process in processes_of(home.data.resolve())}
    assert 0 not in runners
    assert runners == {running.sockets.stat().st_uid}
    assert home.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_home_in_use_is_not_erased(running: Servers) -> None:
    with pytest.raises(BusyError, match="run"):
        running.home.erase(within_seconds=0.2)
    assert ask(running, "SELECT 1") == [(1,)]
