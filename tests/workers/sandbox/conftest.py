"""A fresh bank for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.sandbox import RunningSandbox, running
from workers.sandbox.settings import SandboxSettings


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[RunningSandbox]:
    settings = SandboxSettings(
        storage=tmp_path / "bank.sqlite", process_seconds=60.0, reverse_seconds=3600.0
    )
    with running(settings) as served:
        yield served
