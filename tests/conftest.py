"""Fixtures that every test may ask for: databases from a template, a Redis, private servers."""

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa
import structlog

from tests.lending import Lender
from tests.servers import Cluster, Databases, cluster, stocked

pytest_plugins = ["tests.kit.fixtures"]

REDIS_DATABASES = 16


def pytest_configure() -> None:
    """A shell starts what it leaves in the background deaf to Ctrl-C; programs under test must hear it.

    And they start compiled, as from an installation, whatever the outside says: that is half of a start.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # A traceback with all its values takes seconds.
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


def pytest_collection_finish() -> None:
    """What thousands of tests are made of stays to the end: nobody looks through it for rubbish again and again."""
    gc.collect()
    gc.freeze()


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where this test process finds its shared servers."""

    admin_url: str
    owner_url: str
    broker_url: str
    migrated: str | None
    """A database of the server that is migrated, and that nobody uses."""


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a Postgres with a migrated database, one for all processes of this run."""
    mine = tmp_path_factory.getbasetemp()
    return stocked(mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine, migrate)


@pytest.fixture(scope="session")
def addresses(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Addresses]:
    """Servers of this test process: those of BURSAR_TEST_*_URL, else embedded ones."""
    database = os.environ.get("BURSAR_TEST_DATABASE_URL")
    broker = os.environ.get("BURSAR_TEST_BROKER_URL")
    with ExitStack() as stack:
        if database and broker:
            yield Addresses(
                admin_url=database, owner_url=database, broker_url=broker, migrated=None
            )
        else:
            stock = request.getfixturevalue("stock")
            own = stack.enter_context(cluster(tmp_path_factory.mktemp("servers"), stock))
            yield Addresses(
                admin_url=database or own.superuser_url,
                owner_url=database or own.database_url,
                broker_url=broker or own.broker_url,
                migrated=None if database else sa.make_url(own.database_url).database,
            )


@pytest.fixture(scope="session")
def databases(addresses: Addresses) -> Databases:
    """The maker of databases on the shared Postgres."""
    return Databases(addresses.admin_url, addresses.owner_url)


@pytest.fixture(scope="session")
def template(databases: Databases, addresses: Addresses) -> Iterator[str]:
    """The name of a migrated database that is only ever copied."""
    with databases.database(addresses.migrated or "template0") as name:
        if addresses.migrated is None:
            migrate(databases.url(name))
        yield name


@pytest.fixture(scope="session")
def lender(databases: Databases, template: str) -> Iterator[Lender]:
    """Lends migrated databases to one test after another."""
    with closing(Lender(databases, template)) as lender:
        yield lender


@pytest.fixture
def database_url(databases: Databases, lender: Lender) -> Iterator[str]:
    """A migrated database of this test's own."""
    with lender.lend() as name:
        yield databases.url(name)


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """A database without a schema of this test's own."""
    with databases.database() as name:
        yield databases.url(name)


@pytest.fixture
def superuser_url(addresses: Addresses, database_url: str) -> str:
    """This test's migrated database as superuser, for looking on and for cutting connections."""
    name = sa.make_url(database_url).database
    return sa.make_url(addresses.admin_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def redis_url(addresses: Addresses) -> str:
    """An empty Redis database: one number per test process, emptied before each test."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = f"{addresses.broker_url}?db={int(worker) % REDIS_DATABASES}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def own_servers(tmp_path_factory: pytest.TempPathFactory, stock: Path) -> Iterator[Cluster]:
    """A private Postgres and Redis to kill, freeze and restart; the database is migrated."""
    with cluster(tmp_path_factory.mktemp("own"), stock) as own:
        yield own


@pytest.fixture
def own_database_url(own_servers: Cluster) -> str:
    """The migrated database of the private Postgres."""
    return own_servers.database_url


def migrate(url: str) -> None:
    """Bring a database to head, leaving no connection behind."""
    from db.migrate import upgrade  # noqa: PLC0415  tests without a database need not import it

    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    try:
        upgrade(engine)
    finally:
        engine.dispose()
