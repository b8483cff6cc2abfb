"""Fixtures of the payout row modules."""

from collections.abc import Iterator

import pytest

from db.engine import Database
from tests.builders import owner
from tests.operating import opened


@pytest.fixture
def operator(database_url: str) -> Iterator[Database]:
    """This test's database, acting as an operator."""
    with opened(database_url) as database:
        yield database


@pytest.fixture
def worker(database_url: str) -> Iterator[Database]:
    """This test's database, acting as a worker."""
    with opened(database_url, "bursar_worker") as database:
        yield database


@pytest.fixture
def outside(database_url: str) -> Iterator[Database]:
    """The database as its owner, for changing what no process may."""
    with owner(database_url) as database:
        yield database
