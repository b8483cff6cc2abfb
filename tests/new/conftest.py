"""A copy of the tree for each test that adds to it."""

from pathlib import Path

import pytest

from tests.conftest import Addresses
from tests.new.copies import Copy, copied


@pytest.fixture
def copy(tmp_path: Path, addresses: Addresses) -> Copy:
    """This source tree, to be changed."""
    return copied(tmp_path, addresses)
