"""Limits of the web faces: shared through Redis, and never a reason to refuse when Redis is not well."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import redis
from limits import RateLimitItemPerMinute

from workers.web import limits
from workers.web.limits import AWAY_SECONDS, Limiter

TWO = RateLimitItemPerMinute(2)


class Clock:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def limiters(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Limiter, Limiter]]:
    """Those of two processes, on one Redis, however long that takes to answer."""
    monkeypatch.setattr(limits, "SOCKET_SECONDS", 60.0)
    with ExitStack() as stack:
        made = Limiter(redis_url), Limiter(redis_url)
        for one in made:
            stack.callback(one.close)
        yield made


def test_two_processes_count_together(limiters: tuple[Limiter, Limiter]) -> None:
    first, second = limiters
    assert first.wait_seconds(TWO, "shop") is None
    assert second.wait_seconds(TWO, "shop") is None
    wait = first.wait_seconds(TWO, "shop")
    assert wait is not None
    assert 1 <= wait <= 60
    assert second.wait_seconds(TWO, "shop") is not None
    assert second.wait_seconds(TWO, "office") is None


def test_an_emptied_redis_begins_anew(limiters: tuple[Limiter, Limiter], redis_url: str) -> None:
    """FLUSHALL costs a window, and breaks nothing."""
    first, second = limiters
    for _ in range(3):
        first.wait_seconds(TWO, "shop")
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        client.script_flush()
    assert second.wait_seconds(TWO, "shop") is None
    assert first.wait_seconds(TWO, "shop") is None
    assert second.wait_seconds(TWO, "shop") is not None


def test_with_redis_away_each_counts_for_itself_and_says_so() -> None:
    fallbacks: list[int] = []
    clock = Clock()
    limiter = Limiter("redis://127.0.0.1:1", fell_back=lambda: fallbacks.append(1), clock=clock)

    assert [limiter.wait_seconds(TWO, "shop") is None for _ in range(3)] == [True, True, False]
    assert len(fallbacks) == 3
    clock.now += AWAY_SECONDS + 1
    assert limiter.wait_seconds(TWO, "office") is None
    limiter.close()


def test_a_redis_that_is_back_is_asked_again(redis_url: str) -> None:
    clock = Clock()
    limiter = Limiter(redis_url, clock=clock)
    limiter._away("ConnectionError")
    assert [limiter.wait_seconds(TWO, "shop") is None for _ in range(2)] == [True, True]
    clock.now += AWAY_SECONDS
    assert limiter.wait_seconds(TWO, "shop") is None
    limiter.close()


class Timer:
    """What lapses is looked for by one: CPython breaks where two ask at once whether an ended thread is alive."""

    asked = threading.Lock()

    def __init__(self, *_: object) -> None:
        """Nothing of it is needed."""

    def start(self) -> None:
        """It has ended by then."""

    def is_alive(self) -> bool:
        assert self.asked.acquire(blocking=False), "two at once"
        os.sched_yield()
        self.asked.release()
        return False


def test_many_callers_at_once_are_counted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two callers at once broke the storage's timer, once in a storm: a 500."""
    monkeypatch.setattr("limits.storage.memory.threading.Timer", Timer)
    limiter = Limiter(None)
    many = RateLimitItemPerMinute(10**6)
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda n: limiter.wait_seconds(many, f"{n % 3}"), range(200)))
    limiter.close()
    assert said == [None] * 200


@pytest.mark.parametrize("url", [None, "amqp://broker/"])
def test_without_a_redis_nothing_is_missing(url: str | None) -> None:
    fallbacks: list[int] = []
    limiter = Limiter(url, fell_back=lambda: fallbacks.append(1))
    assert [limiter.wait_seconds(TWO, "shop") is None for _ in range(3)] == [True, True, False]
    assert fallbacks == []
    limiter.close()
