"""A bank, and the product's own runner around it."""

from collections.abc import Iterator

import pytest

from db.engine import Database
from tests.builders import House, house, owner
from tests.jobs.payouts.statements import Desk, desk


@pytest.fixture
def home(database_url: str) -> Iterator[House]:
    """A worker process's worth of the product, and a fake bank."""
    with house(database_url) as made:
        yield made


@pytest.fixture
def outside(database_url: str) -> Iterator[Database]:
    """The database as its owner, for looking and for letting time pass."""
    with owner(database_url) as made:
        yield made


@pytest.fixture
def at(database_url: str, home: House, outside: Database) -> Iterator[Desk]:
    """A bound database, and whoever reconciles at it."""
    with desk(database_url, home, outside) as made:
        yield made
