"""Who a database is: bound to one provider account, and aware that it was restored."""

import subprocess
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from db import installation, switches
from db.engine import Database, DatabaseOptions
from domain.errors import RefusedError
from domain.switches import RESTORED
from tests.servers import Databases
from workers.embedded import binaries


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The test's database, as its owner."""
    made = Database(DatabaseOptions(url=database_url, role=None))
    yield made
    made.dispose()


def test_a_database_is_bound_once_and_the_same_account_again_is_fine(database: Database) -> None:
    with database.begin() as tx:
        installation.bind(tx, "razorpayx", "1001")
        assert installation.bind(tx, "razorpayx", "1001").account == "1001"


@pytest.mark.parametrize("other", [("razorpayx", "1002"), ("stripe", "1001")])
def test_another_account_is_refused_naming_both(database: Database, other: tuple[str, str]) -> None:
    with database.begin() as tx:
        installation.bind(tx, "razorpayx", "1001")
    with database.begin() as tx, pytest.raises(RefusedError, match=f"1001.*{other[1]}"):
        installation.bind(tx, *other)
    with database.begin() as tx:
        assert installation.get(tx).account == "1001"


def test_rebinding_is_possible_for_those_who_agreed(database: Database) -> None:
    with database.begin() as tx:
        installation.bind(tx, "razorpayx", "1001")
        assert installation.bind(tx, "razorpayx", "1002", rebind=True).account == "1002"


def test_the_same_server_is_no_restore(database: Database) -> None:
    with database.begin() as tx:
        installation.remember_server(tx)
        assert not installation.was_restored(tx)
        assert not switches.is_on(tx, RESTORED)


@pytest.mark.parametrize("change", ["system_identifier = '7'", "timeline = timeline + 1"])
def test_another_server_or_history_turns_the_switch_on_until_accepted(
    database: Database, change: str
) -> None:
    """F34: a restored database must not claim before its effects were compared."""
    with database.begin() as tx:
        installation.remember_server(tx)
        tx.run(sa.text(f"UPDATE installation SET {change}"))  # noqa: S608  of this test's own
    with database.begin() as tx:
        installation.remember_server(tx)  # what is known already is not overwritten
        assert installation.was_restored(tx)
        assert switches.is_on(tx, RESTORED)
        installation.accept_server(tx)
        assert not installation.was_restored(tx)


@pytest.mark.parametrize("how", ["into a new database", "into the same database", "by a template"])
def test_a_copy_on_the_same_server_is_a_restore(
    databases: Databases, database: Database, superuser_url: str, how: str
) -> None:
    """F34: server and history are the same; what a dump or a template made has other object ids."""
    with database.begin() as tx:
        installation.remember_server(tx)
    database.dispose()
    name = sa.make_url(superuser_url).database or ""
    with databases.database(name if how == "by a template" else "template0") as other:
        target = name if how == "into the same database" else other
        if how != "by a template":
            restore(superuser_url, target)
        copy = Database(DatabaseOptions(url=databases.url(target), role=None))
        try:
            with copy.begin() as tx:
                assert installation.was_restored(tx)
                assert switches.is_on(tx, RESTORED)
                installation.accept_server(tx)
                assert not installation.was_restored(tx)
        finally:
            copy.dispose()


def restore(url: str, target: str) -> None:
    """Dump a schema and restore the dump into `target` of the same server, with Postgres's own tools."""
    tools = binaries.find().postgres.parent
    source = sa.make_url(url).set(drivername="postgresql")
    here, there = (
        each.render_as_string(hide_password=False) for each in (source, source.set(database=target))
    )
    dump = subprocess.run(
        [tools / "pg_dump", "--format=custom", "--schema=bursar", here],
        capture_output=True,
        check=True,
    )
    clear = ["--command", "DROP SCHEMA IF EXISTS bursar CASCADE"]
    subprocess.run([tools / "psql", "--quiet", *clear, there], capture_output=True, check=True)
    load = ["--exit-on-error", "--dbname", there]
    subprocess.run(
        [tools / "pg_restore", *load], input=dump.stdout, capture_output=True, check=True
    )


def test_a_worker_may_see_that_the_database_was_restored(
    database: Database, database_url: str
) -> None:
    with database.begin() as tx:
        installation.remember_server(tx)
        tx.run(sa.text("UPDATE installation SET system_identifier = '7'"))
    worker = Database(DatabaseOptions(url=database_url, role="bursar_worker"))
    try:
        with worker.begin() as tx:
            assert installation.was_restored(tx)
    finally:
        worker.dispose()
