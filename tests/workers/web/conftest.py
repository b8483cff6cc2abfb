"""A web process for each test."""

from collections.abc import Iterator

import pytest

from db.engine import Database
from tests.operating import opened
from tests.workers.web.webs import Web, web


@pytest.fixture
def here(database_url: str, redis_url: str) -> Iterator[Web]:
    """A web process on the test's own database."""
    with web(database_url, redis_url) as made:
        yield made


@pytest.fixture
def operator(database_url: str) -> Iterator[Database]:
    """The test's database as an operator sees it."""
    with opened(database_url) as made:
        yield made
