"""Installations to break: on shared servers, or on a Postgres and a Redis of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.sandbox import RunningSandbox, running
from tests.faults.gate import Gate, gate
from tests.faults.houses import House, house
from tests.faults.nursery import Nursery, nursery
from tests.faults.recorder import Recorder
from tests.servers import Cluster
from workers.sandbox.settings import SandboxSettings


@pytest.fixture(scope="session")
def births() -> Iterator[Nursery]:
    """Where processes come from."""
    with nursery() as made:
        yield made


@pytest.fixture
def recorder() -> Recorder:
    """What came to the bank's door."""
    return Recorder()


@pytest.fixture
def bank(
    request: pytest.FixtureRequest, tmp_path: Path, recorder: Recorder
) -> Iterator[RunningSandbox]:
    """A real bank over HTTP; a test's parameter adds to its settings."""
    settings = SandboxSettings(storage=tmp_path / "bank.sqlite", **getattr(request, "param", {}))
    with running(settings, around=recorder.around) as sandbox:
        yield sandbox


@pytest.fixture
def home(
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    bank: RunningSandbox,
    recorder: Recorder,
    births: Nursery,
) -> Iterator[House]:
    """An installation on shared servers."""
    with house(database_url, redis_url, tmp_path, bank, recorder, births) as made:
        yield made


@pytest.fixture
def door(bank: RunningSandbox) -> Iterator[Gate]:
    """The way to the bank, which can be shut."""
    with gate(bank.port) as made:
        yield made


@pytest.fixture
def far_home(
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    bank: RunningSandbox,
    recorder: Recorder,
    births: Nursery,
    door: Gate,
) -> Iterator[House]:
    """An installation that reaches the bank through the door alone."""
    url = f"http://127.0.0.1:{door.port}/v1"
    with house(database_url, redis_url, tmp_path, bank, recorder, births, url) as made:
        yield made


@pytest.fixture
def own_home(
    own_servers: Cluster,
    own_database_url: str,
    tmp_path: Path,
    bank: RunningSandbox,
    recorder: Recorder,
    births: Nursery,
) -> Iterator[House]:
    """An installation whose servers may be killed."""
    with house(own_database_url, own_servers.broker_url, tmp_path, bank, recorder, births) as made:
        yield made
