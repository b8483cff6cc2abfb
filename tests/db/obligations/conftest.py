"""A database of an operator, who brings in what is owed; at the end every promise of the audit holds."""

from collections.abc import Iterator

import pytest

from db.engine import Database
from tests.builders import assert_sound
from tests.operating import opened


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as made:
        yield made
        assert_sound(made)
