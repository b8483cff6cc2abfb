"""Real servers for tests: private clusters to kill and freeze, databases from a template."""

import itertools
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import sqlalchemy as sa

from workers.embedded import Home, Tuning, accounts
from workers.embedded.children import Child
from workers.embedded.locks import FileLock
from workers.embedded.pairs import Pair
from workers.embedded.servers import broker_url, database_url

TUNING = Tuning(
    shared_buffers_mb=64,
    wal_mb_max=512,
    settings={
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "autovacuum": "off",
    },
)
"""Safe from whoever kills a process: no test takes the power away; programs refuse a server that could not stand it.

Nothing is vacuumed or analysed but by who asks for it: a plan is the same each time.
"""
STOCK_SECONDS_MAX = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A Postgres and a Redis that are children of the test process and nobody else's."""

    home: Home
    pair: Pair

    @property
    def postgres(self) -> Child:
        """The Postgres, for `kill`, `freeze`, `thaw`, `restart`."""
        return self.pair.postgres

    @property
    def redis(self) -> Child:
        """The Redis, for the same."""
        return self.pair.redis

    @property
    def database_url(self) -> str:
        """The database `bursar`, as its owner."""
        return database_url(self.pair.sockets)

    @property
    def superuser_url(self) -> str:
        """The same as superuser."""
        return database_url(self.pair.sockets, user="postgres")

    @property
    def broker_url(self) -> str:
        """The Redis."""
        return broker_url(self.pair.sockets)


@contextmanager
def cluster(folder: Path, stock: Path | None = None, tuning: Tuning = TUNING) -> Iterator[Cluster]:
    """Run a private cluster on a home of its own, on a copy of `stock`; gone with its data afterwards."""
    home = Home(folder)
    try:
        if stock is not None:
            home.prepare()
            data = home.place_data(accounts.choose(home.data))
            _copy(stock, data / "postgres")
        pair = Pair.prepare(home, tuning, synced=False)
        pair.start()
        try:
            yield Cluster(home=home, pair=pair)
        finally:
            thaw(pair.postgres)
            thaw(pair.redis)
            pair.stop()
    finally:
        home.erase()


def stocked(folder: Path, fill: Callable[[str], None]) -> Path:
    """Return the data of a stopped Postgres with a filled database: to copy it takes less than to make it.

    Of the processes that share `folder`, the first one makes it.
    """
    stock = folder / "stock"
    with FileLock(folder / "stock.lock") as lock:
        assert lock.take(within_seconds=STOCK_SECONDS_MAX)
        if not stock.exists():
            with cluster(folder / "stock.home") as own:
                fill(own.database_url)
                own.pair.stop()
                building = folder / "stock.new"
                _copy(own.home.data.resolve() / "postgres", building)
            building.rename(stock)
    return stock


def _copy(data: Path, to: Path) -> None:
    """Copy the data of a stopped Postgres, its owner too."""
    subprocess.run(["/bin/cp", "-a", "--", str(data), str(to)], check=True)


def kill(child: Child) -> None:
    """SIGKILL the server with all its processes, as a power cut of the process kind would."""
    kill_all(_family(child))
    child.stop()


def kill_all(processes: list[psutil.Process]) -> None:
    """SIGKILL processes, some of which may be gone by then."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def freeze(child: Child) -> None:
    """SIGSTOP the server with all its processes: it accepts connections and never answers."""
    for process in _family(child):
        with suppress(psutil.NoSuchProcess):
            process.suspend()


def thaw(child: Child) -> None:
    """SIGCONT what `freeze` stopped."""
    for process in _family(child):
        with suppress(psutil.NoSuchProcess):
            process.resume()


def restart(child: Child) -> None:
    """Stop the server in its orderly way, if it runs, and start it again on the same data."""
    child.stop()
    child.start()


def processes_of(folder: Path) -> list[psutil.Process]:
    """Return the living processes whose working folder lies under `folder`; zombies do not live."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            inside = Path(process.cwd()).is_relative_to(folder)
            if inside and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _family(child: Child) -> list[psutil.Process]:
    if not child.running:
        return []
    try:
        parent = psutil.Process(child.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


_LET_GO: Final = """
    SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"""


class Databases:
    """Makes and drops databases on one server; names are unique, also between test processes."""

    def __init__(self, admin_url: str, owner_url: str) -> None:
        self._admin = sa.create_engine(
            admin_url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
        )
        self._owner_url = sa.make_url(owner_url)
        self._prefix = f"test_{os.getpid()}_{secrets.token_hex(3)}"
        self._numbers = itertools.count(1)

    def url(self, name: str) -> str:
        """Return the URL of a database, as its owner."""
        return self._owner_url.set(database=name).render_as_string(hide_password=False)

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """Make a database from a template, which nobody is connected to then, and drop it afterwards."""
        name = f"{self._prefix}_{next(self._numbers)}"
        owner = self._owner_url.username
        self._say(f"{_LET_GO} AND datname = '{template}'")
        self._say(f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER "{owner}"')
        try:
            yield name
        finally:
            self._say(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def superuser_url(self, name: str) -> str:
        """Return the URL of a database, as the server's administrator, whom no guard holds back."""
        return self._admin.url.set(database=name).render_as_string(hide_password=False)

    def _say(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.exec_driver_sql(statement)
