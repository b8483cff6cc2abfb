"""Wake-ups through Redis behind a real Sentinel: a failover costs some, and no thread."""

import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import redis

from domain.errors import UnreachableError
from tests.brokers.conftest import working
from tests.waiting import eventually
from workers.broker import Bell, check_broker
from workers.broker.redis_links import NAMESPACE, connect
from workers.broker_depth import depths

FAILOVER_SECONDS_MAX = 60.0


@pytest.fixture
def url(sentinel_url: str) -> Iterator[str]:
    """The Redis behind Sentinel, without our keys."""
    client = connect(sentinel_url)
    for key in client.scan_iter(f"{NAMESPACE}:*"):
        client.delete(key)
    yield sentinel_url
    client.close()


@pytest.fixture
def guard(url: str) -> Iterator["redis.Redis"]:
    """One of its Sentinels."""
    first = urlsplit(f"//{urlsplit(url).netloc.rpartition('@')[2].split(',')[0]}")
    assert first.hostname is not None
    client = redis.Redis(host=first.hostname, port=first.port or 26_379, decode_responses=True)
    yield client
    client.close()


def primary(guard: "redis.Redis", service: str) -> object:
    """Where the primary is now, as Sentinel has it."""
    return guard.sentinel_get_master_addr_by_name(service)


def fail_over(guard: "redis.Redis", service: str) -> None:
    """Make the replica the primary; asked again until the Sentinels are ready for one."""

    def accepted() -> bool:
        try:
            return bool(guard.sentinel_failover(service))
        except redis.ResponseError:  # one is under way, or no replica is good enough yet
            return False

    before = primary(guard, service)
    eventually(accepted, FAILOVER_SECONDS_MAX)
    eventually(lambda: primary(guard, service) != before, FAILOVER_SECONDS_MAX)


def test_the_primary_is_taken_and_its_wake_ups_run_once(url: str) -> None:
    check_broker(url)
    bell = Bell(url)
    with working(url) as worker:
        assert bell.ring("money", list(range(1, 101))) == 100
        assert worker.has_run(*range(1, 101))
        assert set(worker.ran.values()) == {1}
    bell.close()
    assert depths(url) == {"money": 0, "rest": 0}


def test_after_a_failover_the_same_threads_hear_the_same_bell(
    url: str, guard: "redis.Redis"
) -> None:
    """The old primary answers as a replica, which is no reason to write to it."""
    service = urlsplit(url).path.strip("/").partition("/")[0]
    bell, gate = Bell(url), threading.Event()
    with working(url) as worker:
        worker.handle = lambda run: None if run != 1 else opened(gate)
        assert bell.ring("money", [1]) == 1
        assert eventually(lambda: depths(url)["money"] == 0)
        fail_over(guard, service)
        gate.set()
        assert worker.has_run(1)
        assert eventually(
            lambda: bell.ring("money", [2]) and worker.has_run(2, seconds=0.5),
            FAILOVER_SECONDS_MAX,
        )
        assert worker.running.alive()
        check_broker(url)
    bell.close()


def opened(gate: threading.Event) -> None:
    """Wait at a gate."""
    assert gate.wait(FAILOVER_SECONDS_MAX)


def test_a_service_that_sentinel_does_not_know_is_unreachable(url: str) -> None:
    stranger = urlsplit(url)._replace(path="/nobody").geturl()
    with pytest.raises(UnreachableError, match="does not answer"):
        check_broker(stranger)
