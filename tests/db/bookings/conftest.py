"""A database with a worker, as whoever serves customers has it, and an operator who brings in what is offered."""

from collections.abc import Iterator

import pytest

from db.engine import Database
from tests.builders import assert_sound, patient_worker
from tests.operating import opened


@pytest.fixture
def operator(database_url: str) -> Iterator[Database]:
    with opened(database_url) as made:
        yield made


@pytest.fixture
def database(database_url: str, operator: Database) -> Iterator[Database]:
    """As a worker has it; at the end every promise of the audit holds."""
    with patient_worker(database_url, pool_max=16) as made:
        yield made
        assert_sound(made)
