"""The folders of one home: where data, logs, locks and the record of running servers lie."""

import hashlib
import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from domain.errors import BusyError, UnreachableError
from workers.embedded.accounts import Account
from workers.embedded.locks import FileLock

ENDING_SECONDS_MAX = 2.0
ROOTS_DATA = Path("/var/lib/bursar")  # for servers that root starts as another user


@dataclass(frozen=True, slots=True)
class Home:
    """A folder (`BURSAR_HOME`) whose `servers` folder belongs to the embedded servers."""

    path: Path

    @property
    def folder(self) -> Path:
        """Everything of the embedded servers."""
        return self.path.absolute() / "servers"

    @property
    def data(self) -> Path:
        """The data of both servers; as root a link to a folder their user can reach."""
        return self.folder / "data"

    @property
    def record(self) -> Path:
        """What runs: written when the servers answer, removed before they stop."""
        return self.folder / "running.json"

    @property
    def sockets_record(self) -> Path:
        """The sockets folder in use, written before it is made, so that it is always found."""
        return self.folder / "sockets"

    def log(self, name: str) -> Path:
        """Return the log file of one server."""
        return self.folder / f"{name}.log"

    def users_lock(self) -> FileLock:
        """Open the lock that users of the servers share; held alone, nobody uses them."""
        return FileLock(self.folder / "users.lock")

    def keeper_lock(self) -> FileLock:
        """Open the lock that the keeper of the servers holds as long as it lives."""
        return FileLock(self.folder / "keeper.lock")

    def prepare(self) -> None:
        """Make the home.

        Raises:
            UnreachableError: it cannot be made or written.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            message = f"the home {self.path} cannot be used: {error}"
            raise UnreachableError(message) from error

    def place_data(self, account: Account) -> Path:
        """Return the real data folder, made for `account` where there is none."""
        if account.is_ours or self.data.exists():
            self.data.mkdir(mode=0o700, exist_ok=True)
            return self.data.resolve()
        _make_readable(ROOTS_DATA)
        mark = hashlib.sha256(os.fsencode(self.folder) + os.urandom(16)).hexdigest()
        place = ROOTS_DATA / mark[:16]
        place.mkdir(mode=0o700)
        os.chown(place, account.user_id, account.group_id)
        self.data.unlink(missing_ok=True)
        self.data.symlink_to(place)
        return place

    def erase(self, *, within_seconds: float = ENDING_SECONDS_MAX) -> None:
        """Remove the servers' folder and data, waiting for servers that are on their way out.

        Raises:
            BusyError: the servers run.
        """
        if not self.folder.is_dir():
            return
        with ExitStack() as stack:
            held = [self.keeper_lock()]
            held += [FileLock(path) for path in self.data.glob("*.lock")]  # see `children`
            for lock in held:
                stack.enter_context(lock)
            if not all(lock.take(within_seconds=within_seconds) for lock in held):
                message = f"the servers of {self.path} run"
                raise BusyError(message)
            if self.data.is_symlink() and self.data.resolve().parent == ROOTS_DATA:
                shutil.rmtree(self.data.resolve())
            shutil.rmtree(self.folder, ignore_errors=True)


def _make_readable(folder: Path) -> None:
    """Make our own top folder open to other users; folders that exist keep their rights."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
