"""A database as whoever serves customers has it, and as its owner, who breaks what nobody else may."""

from collections.abc import Iterator

import pytest

from db.engine import Database
from tests.builders import assert_sound, owner, patient_worker
from tests.operating import opened


@pytest.fixture
def operator(database_url: str) -> Iterator[Database]:
    with opened(database_url) as made:
        yield made


@pytest.fixture
def outside(database_url: str) -> Iterator[Database]:
    with owner(database_url) as made:
        yield made


@pytest.fixture
def database(database_url: str, outside: Database) -> Iterator[Database]:
    """As a worker has it; at the end every promise of the audit holds."""
    with patient_worker(database_url) as made:
        yield made
        assert_sound(outside)
