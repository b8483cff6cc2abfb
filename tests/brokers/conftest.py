"""What the three have in common: a way to their server that can be cut, and a worker that counts."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from tests.workers.broker.conftest import Worker
from workers.broker import QUEUES
from workers.chaos.link import Link


def address(name: str) -> str:
    """The server that the environment names; without one, a test here cannot say anything."""
    url = os.environ.get(name)
    assert url, f"{name} is not set: these tests need that server"
    return url


def through(url: str, link: Link) -> str:
    """The same server by way of `link`."""
    parts = urlsplit(url)
    account = parts.netloc.rpartition("@")[0]
    there = f"127.0.0.1:{link.port}"
    return parts._replace(netloc=f"{account}@{there}" if account else there).geturl()


def port_of(url: str) -> int:
    """The port that a URL on this machine names."""
    port = urlsplit(url).port
    assert port is not None, f"{url} names no port"
    return port


@contextmanager
def working(url: str, threads: Mapping[str, int] | None = None) -> Iterator[Worker]:
    """A worker that notes which runs it was woken for."""
    worker = Worker(url, threads or dict.fromkeys(QUEUES, 2))
    try:
        yield worker
    finally:
        worker.running.stop(5.0)
        worker.broker.close()


@pytest.fixture
def rabbit_url() -> str:
    """A RabbitMQ on this machine; its queues `bursar.*` are deleted before a test."""
    return address("BURSAR_TEST_AMQP_URL")


@pytest.fixture
def sentinel_url() -> str:
    """A Redis with a replica behind Sentinel; the keys `bursar:*` of its primary are the tests'."""
    return address("BURSAR_TEST_SENTINEL_URL")


@pytest.fixture
def pgbouncer_url() -> str:
    """A PgBouncer in transaction mode on this machine, as a superuser who may make databases."""
    return address("BURSAR_TEST_PGBOUNCER_URL")
