"""Quiet logs, for the process that dies too: it inherits them."""

from collections.abc import Iterator

import pytest
import structlog

pytest.register_assert_rewrite("tests.crash.explorer", "tests.crash.worlds", "tests.kit")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Tracebacks with all their values take seconds."""
    with structlog.testing.capture_logs():
        yield
