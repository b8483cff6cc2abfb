"""A stage for each race, how much is explored, and the figures at the end."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.races.stage import Stage, stage as open_stage

FIGURES = "races"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How many schedules of a race are run: of fewest switches, and by chance."""

    most: int = 8
    walks: int = 4
    seed: int = 1


@pytest.fixture
def stage(database_url: str, superuser_url: str) -> Iterator[Stage]:
    """A stage on this test's own database."""
    with open_stage(database_url, superuser_url) as made:
        yield made


@pytest.fixture(scope="session")
def bounds() -> Bounds:
    """A sample, or what `make explore` runs."""
    if os.environ.get("BURSAR_TEST_EXPLORE") != "full":
        return Bounds()
    most = int(os.environ.get("BURSAR_TEST_SCHEDULES", "600"))
    return Bounds(most=most, walks=most // 6)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was explored of each race."""
    told = [
        str(value)
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == FIGURES
    ]
    if told:
        terminalreporter.section("races explored")
        for line in sorted(told):
            terminalreporter.write_line(line)
