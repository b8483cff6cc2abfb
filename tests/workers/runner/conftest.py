"""The database as its owner, beside the worker's that each test makes for itself."""

from collections.abc import Iterator

import pytest
import structlog

from db.engine import Database
from tests.builders import owner


@pytest.fixture
def outside(database_url: str) -> Iterator[Database]:
    """The database as its owner, for looking and for letting time pass."""
    with owner(database_url) as made:
        yield made


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Errors are looked for in rows; writing tracebacks with all their values takes seconds."""
    with structlog.testing.capture_logs():
        yield
