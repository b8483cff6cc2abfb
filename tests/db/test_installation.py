"""Who a database is: bound to one provider account, and aware that it was restored."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from db import installation, switches
from db.engine import Database, DatabaseOptions
from domain.errors import RefusedError
from domain.switches import RESTORED


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
