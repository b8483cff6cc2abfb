"""The kit as fixtures: a world of the test's own, its bank, a clock that stands still, and quiet."""

import signal
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from tests.fakes.bank import FakeBank
from tests.kit import quiet
from tests.kit.clock import FrozenClock
from tests.kit.world import Fakes, Scene, doors, scene
from workers.runner.bounds import Bounds

ENDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def signals_as_they_were() -> Iterator[None]:
    """For commands that run in this process and take signals for themselves, here those of the tests."""
    before = {number: signal.getsignal(number) for number in ENDS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def fakes() -> Fakes:
    """The world outside of this test's world; a module with a fixture of this name has another one."""
    return Fakes()


@pytest.fixture
def world(database_url: str, fakes: Fakes) -> Iterator[Scene]:
    """A database, a worker with every job of the catalog, and a world outside that remembers."""
    with doors(database_url) as opened:
        yield scene(opened, fakes, bounds=Bounds(budget_seconds=60.0, concurrency=4))


@pytest.fixture
def bank(world: Scene) -> FakeBank:
    """The bank of this test's world."""
    return world.bank


@pytest.fixture
def clock(world: Scene) -> FrozenClock:
    """Time for this test's world: it stands still until it is told to pass."""
    return FrozenClock(world.owner)


@pytest.fixture
def run_to_quiet(world: Scene) -> Callable[[], int]:
    """Let healthy workers go on, and bank and gateway finish, until nothing changes; returns the rounds."""

    def passes() -> None:
        world.bank.finish()
        world.fakes.payments.finish()

    return lambda: quiet.run_to_quiet(world, world.owner, passes)
