"""Servers that all tests of the peers stand on."""

from collections.abc import Iterator

import pytest

from workers.bench.stand import Stand, stand


@pytest.fixture(scope="session")
def own_stand() -> Iterator[Stand]:
    """What a benchmark stands on."""
    with stand() as made:
        yield made
