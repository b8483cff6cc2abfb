"""Quiet logs, for the process that dies too: it inherits them; and the figures at the end."""

from collections.abc import Iterator

import pytest
import structlog

from tests.crash.figures import EXPLORE, EXPLORED, FOLDER, table

pytest.register_assert_rewrite("tests.crash.explorer", "tests.crash.worlds")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Tracebacks with all their values take seconds."""
    with structlog.testing.capture_logs():
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many points each world has, and what was explored of them."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, [])]
    told = [str(value) for r in reports for name, value in r.user_properties if name == EXPLORED]
    if told:
        terminalreporter.section("crash points")
        lines = table(told)
        for line in lines:
            terminalreporter.write_line(line)
        if EXPLORE == "full":
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / "crash.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
