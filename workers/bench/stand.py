"""Where a benchmark stands: embedded servers in a home that is gone afterwards, a database for each run."""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from db import installation
from db.bench import copies
from db.engine import Database, DatabaseOptions
from db.payouts import imports
from db.release import release
from domain import razorpayx
from domain.samples import sample_payouts
from jobs import catalog
from workers import embedded
from workers.bench.bank import ACCOUNT
from workers.embedded.postgres import OWNER

TEMPLATE: Final = "bursar"
SEED: Final = 7
LONG_SECONDS: Final = 900.0
SCHEMA: Final = "bursar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Servers as `bursar up` starts them (fsync on), with a migrated database to copy."""

    home: embedded.Home
    share: embedded.Servers
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextmanager
    def database(self, template: str = TEMPLATE) -> Iterator[str]:
        """Yield the URL of a fresh copy; it is dropped afterwards."""
        admin, name = self.share.superuser_url, f"bench_{next(self._numbers)}"
        copies.create(admin, name, template=template, owner=OWNER)
        try:
            yield copies.named(self.share.database_url, name)
        finally:
            copies.drop(admin, name)

    def postgres(self) -> psutil.Process:
        """The server's first process."""
        return servers_of(self.home)[0]


def servers_of(home: embedded.Home) -> tuple[psutil.Process, psutil.Process]:
    """Return the first processes of the Postgres and the Redis that run in a home."""
    file = home.data / "postgres" / "postmaster.pid"
    postgres = psutil.Process(int(file.read_text(encoding="ascii").split("\n", 1)[0]))
    keeper = postgres.parent()
    if keeper is None:
        raise AssertionError("a server has its keeper for a parent")
    redis = next(child for child in keeper.children() if "redis" in child.name())
    return postgres, redis


@contextmanager
def stand() -> Iterator[Stand]:
    """Start servers in a temporary home and bring their database to head; all of it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as folder:
        home = embedded.Home(Path(folder))
        try:
            with embedded.start(home) as share:
                with opened(share.database_url, role=None, pool_max=1) as database:
                    release(database, catalog.rows(), provider=razorpayx.PROVIDER, account=ACCOUNT)
                yield Stand(home=home, share=share)
        finally:
            home.erase()


@contextmanager
def opened(
    url: str,
    *,
    role: str | None = "bursar_operator",
    pool_max: int = 2,
    schema: str = SCHEMA,
) -> Iterator[Database]:
    """Yield a database; its connections are closed afterwards."""
    database = Database(
        DatabaseOptions(
            url=url, schema=schema, role=role, pool_max=pool_max, application="bursar bench"
        )
    )
    try:
        yield database
    finally:
        database.dispose()


def seed(url: str, items: int, number: int = SEED) -> None:
    """Import and approve `items` payouts to about 300 payees, by the product's own import.

    Samples of another `number` are other payouts.
    """
    lines = list(sample_payouts(items, number))
    with opened(url) as database, database.begin(LONG_SECONDS) as tx:
        order = imports.Lines(lines=lines, approve=True)
        done = imports.take_over(tx, installation.get(tx).id, order, actor="bench")
    if done.approved != items:
        raise AssertionError(f"{done.approved} of {items} payouts were approved")
