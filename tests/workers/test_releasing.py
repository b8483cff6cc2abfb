"""`migrate`: schema, catalog and binding in one go; a sandbox is never bound to real servers."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from db import installation
from db.engine import Database, DatabaseOptions
from db.release import is_behind
from domain.errors import RefusedError, UnreachableError
from jobs import catalog
from workers.releasing import release_database
from workers.servers import Addresses, SandboxPlan
from workers.settings import load


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    """An empty database, as its owner."""
    made = Database(DatabaseOptions(url=empty_database_url, role=None))
    yield made
    made.dispose()


def addresses(*, embedded: bool) -> Addresses:
    """Addresses that nobody calls."""
    return Addresses(database_url="postgresql://x/x", broker_url="redis://x", embedded=embedded)


def test_an_empty_database_becomes_ready_and_a_second_release_changes_nothing(
    database: Database,
) -> None:
    assert is_behind(database)
    settings = load(SandboxPlan.make(1).environment)
    made = release_database(database, settings, addresses(embedded=True))
    assert (made.provider, made.account) == settings.provider_account
    assert not is_behind(database)
    assert release_database(database, settings, addresses(embedded=True)) == made
    with database.begin() as tx:
        jobs = tx.rows(sa.text("SELECT job FROM catalog ORDER BY job"))
        assert [row.job for row in jobs] == sorted(row[0] for row in catalog.rows())
        assert not installation.was_restored(tx)


def test_a_sandbox_is_refused_on_configured_servers_before_anything_is_made(
    database: Database,
) -> None:
    settings = load(SandboxPlan.make(1).environment)
    with pytest.raises(RefusedError, match="sandbox"):
        release_database(database, settings, addresses(embedded=False))
    assert is_behind(database)


def test_a_database_that_is_away_is_unreachable() -> None:
    gone = Database(DatabaseOptions(url="postgresql://u@127.0.0.1:1/x", role=None))
    try:
        with pytest.raises(UnreachableError):
            release_database(gone, load({}), addresses(embedded=False))
        with pytest.raises(UnreachableError):
            is_behind(gone)
    finally:
        gone.dispose()
