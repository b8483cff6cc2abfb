"""The two servers of one home, as children of this process: prepared, started, stopped together."""

from pathlib import Path
from typing import Self

from workers.embedded import accounts, binaries, postgres, redis, sockets
from workers.embedded.children import Child, Site
from workers.embedded.homes import ROOTS_DATA, Home


class Pair:
    """A Postgres and a Redis on a home's data, behind one fresh folder of sockets.

    Only one process may have the pair of a home: whoever holds its keeper lock.
    """

    def __init__(self, *, postgres: Child, redis: Child, sockets: Path) -> None:
        self.postgres, self.redis, self.sockets = postgres, redis, sockets

    @classmethod
    def prepare(cls, home: Home, tuning: postgres.Tuning, *, synced: bool = True) -> Self:
        """Make what is missing of the home, sweep what a killed predecessor left.

        Raises:
            UnreachableError: programs, user or folders are missing, or `initdb` failed.
            BadInputError: the temporary folder cannot hold sockets.
        """
        home.prepare()
        account = accounts.choose(home.data)
        data = home.place_data(account)
        programs = binaries.readable(binaries.find(), account, ROOTS_DATA)
        folder = _fresh_sockets(home, data, account)
        database, broker = (
            Site(
                binaries=programs,
                account=account,
                data=data / name,
                sockets=folder,
                log=home.log(name),
            )
            for name in ("postgres", "redis")
        )
        postgres.initialise(database, synced=synced)
        redis.initialise(broker)
        return cls(
            postgres=Child(postgres.program(database, tuning)),
            redis=Child(redis.program(broker)),
            sockets=folder,
        )

    def start(self) -> None:
        """Start both and wait until they answer; where one fails, the other is stopped.

        Raises:
            UnreachableError: one did not start; with the end of its log.
        """
        try:
            self.redis.start()
            self.postgres.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both and remove the sockets."""
        self.postgres.stop()
        self.redis.stop()
        sockets.remove(self.sockets)


def _fresh_sockets(home: Home, data: Path, account: accounts.Account) -> Path:
    """Remove the folder on record, put a new one on record, make it."""
    if home.sockets_record.exists():
        sockets.remove(Path(home.sockets_record.read_text()))
    parent = data if data.parent == ROOTS_DATA else None
    folder = sockets.name_in(parent)
    home.sockets_record.write_text(str(folder))
    sockets.make(folder, account)
    return folder
