"""The whole way behind a real PgBouncer in transaction mode, whose sessions are everybody's."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
import sqlalchemy as sa

from db.engine import Database
from db.errors import CommitUnknownError, ConnectionLostError
from db.tx import Tx
from domain.errors import ExpectedError, UnreachableError
from domain.payouts import PROCESS
from tests.brokers.conftest import port_of, through
from tests.builders import (
    House,
    assert_paid_once,
    assert_sound,
    expire,
    house,
    owner,
    rows,
    seed,
    worker,
)
from tests.conftest import migrate
from tests.servers import Databases
from tests.waiting import eventually
from workers.chaos.link import Link


@pytest.fixture
def url(pgbouncer_url: str) -> Iterator[str]:
    """A database of this test's own, migrated through the pooler."""
    databases = Databases(pgbouncer_url, pgbouncer_url)
    with databases.database() as name:
        url = databases.url(name)
        migrate(url)
        yield url


@pytest.fixture
def direct(url: str) -> str:
    """The same database past the pooler."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        port = connection.scalar(sa.text("SELECT inet_server_port()"))
    engine.dispose()
    return sa.make_url(url).set(port=port).render_as_string(hide_password=False)


@pytest.fixture
def way(url: str) -> Iterator[Link]:
    """A way to the pooler that can be cut."""
    with Link(port_of(url)) as link:
        yield link


@pytest.fixture
def pooled(url: str) -> Iterator[Database]:
    """The database as a worker behind a pooler uses it."""
    with worker(url, pooler="transaction") as database:
        yield database


def test_sessions_carry_nothing_from_one_transaction_to_the_next(
    url: str, pooled: Database
) -> None:
    """More clients than sessions: role, path and limits are each transaction's own."""

    def look(_: int) -> tuple[str, str, str]:
        [seen] = rows(
            pooled,
            """SELECT current_user AS role, current_schema() AS place,
                      current_setting('lock_timeout') AS lock""",
        )
        return seen.role, seen.place, seen.lock

    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(look, range(120))) == {("bursar_worker", "bursar", "2s")}
    plain = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with plain.connect() as connection:
        assert connection.scalar(sa.text("SELECT current_user")) != "bursar_worker"
    plain.dispose()


def test_a_long_transaction_may_read_whole_tables_here_too(pooled: Database) -> None:
    """As without a pooler: an index is no way to read all of a table."""
    with pooled.begin() as tx:
        assert tx.scalar(sa.text("SELECT current_setting('enable_seqscan')")) == "off"
    with pooled.begin(60) as tx:
        assert tx.scalar(sa.text("SELECT current_setting('enable_seqscan')")) == "on"
        assert tx.scalar(sa.text("SELECT current_setting('statement_timeout')")) == "1min"


def test_payouts_are_paid_once_each(url: str, direct: str) -> None:
    with house(url, pooler="transaction") as home:
        payouts = seed(direct, 60)
        assert eventually(lambda: drained(home), 60.0)
        assert_paid_once(home.bank, payouts)
    with owner(direct) as outside:
        assert_sound(outside)


def test_payouts_are_paid_once_each_through_cut_links(url: str, direct: str, way: Link) -> None:
    """A pooler that is restarted ends every link at once; commits are among what was under way."""
    with (
        owner(direct) as outside,
        house(through(url, way), pooler="transaction", batch_max=10) as home,
    ):
        payouts = seed(direct, 60)
        for _ in range(4):
            run = replace(home, database=outside).request(PROCESS)
            way.cut_commits(1)
            with suppress(ExpectedError):  # as a worker process does; the sweep finds the run again
                home.runner.execute(run)
        assert way.commits_cut == 4
        way.heal()
        assert eventually(lambda: expire(outside) or drained(home), 60.0)
        assert_paid_once(home.bank, payouts)
        assert_sound(outside)


def drained(home: House) -> bool:
    """Run until nothing waits to be sent."""
    home.run(PROCESS)
    return not rows(home.database, "SELECT 1 FROM work WHERE job = :job", job=PROCESS)


def test_what_a_lost_pooler_leaves_is_named(url: str, way: Link) -> None:
    """The commit's reply is lost: it may have happened. Anything else: it has not."""
    with worker(through(url, way), pooler="transaction", pool_max=1) as database:
        way.cut_commits(1)
        with pytest.raises(CommitUnknownError), database.begin() as tx:
            tx.scalar(sa.text("SELECT 1"))
        with pytest.raises(ConnectionLostError), database.begin() as tx:
            _cut_and_ask(way, tx)
        way.refuse()
        with pytest.raises(UnreachableError), database.begin() as tx:
            tx.scalar(sa.text("SELECT 1"))
        way.heal()
        assert rows(database, "SELECT 1 AS one")[0].one == 1


def _cut_and_ask(way: Link, tx: Tx) -> None:
    assert way.drop() == 1
    tx.scalar(sa.text("SELECT 1"))


def test_a_disposed_database_leaves_no_connection(url: str, way: Link) -> None:
    with worker(through(url, way), pooler="transaction") as database:
        barrier = threading.Barrier(3)

        def hold(_: int) -> None:
            with database.begin() as tx:
                tx.scalar(sa.text("SELECT 1"))
                barrier.wait(20)

        with ThreadPoolExecutor(3) as threads:
            list(threads.map(hold, range(3)))
    assert eventually(lambda: way.drop() == 0)
