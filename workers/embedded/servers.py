"""The servers of a home as their users see them: `start`, `join`, three URLs, `stop`."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psutil

import workers
from domain.errors import BadInputError, UnreachableError
from workers.embedded import binaries, postgres, redis
from workers.embedded.homes import Home
from workers.embedded.locks import FileLock
from workers.embedded.postgres import Tuning

START_SECONDS_MAX = 180.0
STOP_SECONDS_MAX = 90.0
POLL_SECONDS = 0.01
TAIL_CHARACTERS_MAX = 2_000


class Servers:
    """A share in a home's running servers; the last one to stop ends them."""

    def __init__(self, home: Home, sockets: Path, users: FileLock) -> None:
        self.home = home
        self.sockets = sockets
        self._users = users

    @property
    def database_url(self) -> str:
        """Bursar's database as its owner, an ordinary role that may make roles and databases."""
        return database_url(self.sockets)

    @property
    def superuser_url(self) -> str:
        """The same database as superuser, for tests and repairs."""
        return database_url(self.sockets, user=postgres.SUPERUSER)

    @property
    def broker_url(self) -> str:
        """The Redis."""
        return broker_url(self.sockets)

    def stop(self) -> None:
        """Give our share back; where it was the last, wait until the servers have ended.

        Raises:
            UnreachableError: nobody uses the servers, and still they did not end in time.
        """
        self._users.close()
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while is_kept(self.home):
            with self.home.users_lock() as users:
                used = not users.take() and users.take(shared=True)
            if used:
                return
            if time.monotonic() > deadline:
                message = f"the servers of {self.home.path} did not stop:\n{_tail(self.home)}"
                raise UnreachableError(message)
            time.sleep(POLL_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start(home: Home, *, tuning: Tuning | None = None) -> Servers:
    """Return a share in the home's servers, started with `tuning` where they do not run yet.

    Raises:
        UnreachableError: they cannot be started; with the end of the log.
        BadInputError: the temporary folder cannot hold sockets.
    """
    binaries.find()
    home.prepare()
    try:
        servers = _share(home, tuning or Tuning())
    except PermissionError as error:
        raise UnreachableError(_not_yours(home, error)) from error
    assert servers is not None, "only who brings no tuning can find nothing"
    return servers


def join(home: Home) -> Servers | None:
    """Return a share in the home's servers, or None where none run.

    Raises:
        UnreachableError: they are being started or stopped, and it takes too long.
    """
    try:
        if not home.folder.is_dir() or not is_kept(home):
            return None
        return _share(home, None)
    except PermissionError as error:
        raise UnreachableError(_not_yours(home, error)) from error


def database_url(
    sockets: Path, *, user: str = postgres.OWNER, name: str = postgres.DATABASE
) -> str:
    """Return the SQLAlchemy URL of a database behind a sockets folder."""
    return f"postgresql+psycopg://{user}@/{name}?host={quote(str(sockets))}"


def broker_url(sockets: Path) -> str:
    """Return the URL of the Redis behind a sockets folder."""
    return f"unix://{quote(str(sockets / redis.SOCKET_NAME))}"


def _share(home: Home, tuning: Tuning | None) -> Servers | None:
    """Become a user, then see to it that a keeper runs (with a tuning) or find that none does."""
    users = home.users_lock()
    try:
        sockets = _wait_kept(home, users, tuning)
    except BaseException:
        users.close()
        raise
    if sockets is None:
        users.close()
        return None
    return Servers(home, sockets, users)


def _wait_kept(home: Home, users: FileLock, tuning: Tuning | None) -> Path | None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if users.take(shared=True, within_seconds=STOP_SECONDS_MAX):
            with home.keeper_lock() as keeper:
                if keeper.take():
                    if tuning is None:
                        return None
                    _make_keeper(home, keeper, tuning)
            sockets = _running(home)
            if sockets is not None:
                return sockets
        time.sleep(POLL_SECONDS)
    message = f"the servers of {home.path} do not answer:\n{_tail(home)}"
    raise UnreachableError(message)


def _make_keeper(home: Home, lock: FileLock, tuning: Tuning) -> None:
    """Start a keeper that inherits the lock, and wait for its answer."""
    path = [str(Path(workers.__file__).resolve().parents[1])]
    path += filter(None, [os.environ.get("PYTHONPATH")])
    sizes = (tuning.shared_buffers_mb, tuning.wal_mb_max, tuning.connections_max)
    with home.log("keeper").open("ab") as log:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "workers.embedded.keeper",
                str(home.path.absolute()),
                *map(str, sizes),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
            pass_fds=(lock.descriptor,),
            start_new_session=True,
            timeout=START_SECONDS_MAX,
            check=False,
        )
    answer = json.loads(done.stdout) if done.stdout else {"unreachable": _tail(home)}
    if "rule" in answer:
        raise BadInputError(answer["place"], answer["value"], answer["rule"])
    if "unreachable" in answer:
        raise UnreachableError(answer["unreachable"])


def _not_yours(home: Home, error: PermissionError) -> str:
    return f"the servers of {home.path} belong to another user: {error}"


def is_kept(home: Home) -> bool:
    """Whether a keeper lives, or is being made: without one the servers end, and come back by a new start alone."""
    with home.keeper_lock() as keeper:
        return not keeper.take(shared=True)


def _running(home: Home) -> Path | None:
    """Return the sockets folder, if the keeper on record lives and both servers answer."""
    try:
        facts = json.loads(home.record.read_text())
        sockets = Path(facts["sockets"])
        if psutil.Process(facts["keeper"]).status() == psutil.STATUS_ZOMBIE:
            return None
    except (FileNotFoundError, psutil.NoSuchProcess):
        return None
    return sockets if postgres.answers(sockets) and redis.answers(sockets) else None


def _tail(home: Home) -> str:
    log = home.log("keeper")
    return log.read_text(errors="replace")[-TAIL_CHARACTERS_MAX:] if log.exists() else ""
