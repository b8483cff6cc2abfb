"""The RabbitMQ broker as far as it can be seen without a server."""

import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from domain.errors import BrokenError, UnreachableError
from workers.broker import Bell, check_broker, open_broker
from workers.broker.rabbit_broker import RabbitBroker
from workers.broker.rabbit_links import declare
from workers.broker.wakeups import message_for

NOBODY = "amqp://127.0.0.1:1/"


class Channel:
    """Notes what is declared."""

    def __init__(self) -> None:
        self.declared: dict[str, Any] = {}

    def queue_declare(self, queue: str, *, durable: bool, arguments: dict[str, Any]) -> Any:  # noqa: ANN401  as pika's
        """Note it."""
        assert durable
        self.declared[queue] = arguments
        return SimpleNamespace(method=SimpleNamespace(message_count=3))


def test_queues_are_quorum_queues_without_dead_letters() -> None:
    channel = Channel()
    assert declare(channel, "money") == 3, "so many wait in it"
    assert channel.declared["bursar.money"]["x-queue-type"] == "quorum"
    assert not any("dead-letter" in name for name in channel.declared["bursar.money"])


def test_no_delay_queue_is_declared_and_only_the_bell_sends() -> None:
    broker = open_broker(NOBODY)
    assert isinstance(broker, RabbitBroker)
    broker.declare_queue("money")
    assert broker.get_declared_queues() == {"money"}
    assert not broker.get_declared_delay_queues()
    with pytest.raises(BrokenError):
        broker.enqueue(message_for("money", 1))


def test_an_absent_rabbit_is_unreachable_and_costs_the_bell_no_error() -> None:
    with pytest.raises(UnreachableError):
        check_broker(NOBODY)
    bell = Bell(NOBODY)
    assert bell.ring("money", [1]) == 0
    bell.close()


class Resting:
    """A sender that notes when it is looked after."""

    def __init__(self, _url: str) -> None:
        self.rested = threading.Event()

    def send(self, _queue: str, run_ids: Sequence[int]) -> int:
        """Send all."""
        return len(run_ids)

    def rest(self) -> None:
        """Note it, and find the link lost."""
        self.rested.set()
        message = "gone"
        raise ConnectionError(message)

    def close(self) -> None:
        """Close nothing."""


def test_a_bell_looks_after_its_link_while_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """RabbitMQ closes a link whose heartbeats nobody answers; each first ring would be lost."""
    monkeypatch.setattr("workers.broker.bell.REST_SECONDS", 0.01)
    sender = Resting(NOBODY)
    bell = Bell(NOBODY, lambda _url: sender)
    assert bell.ring("money", [1]) == 1
    assert sender.rested.wait(60)
    assert bell.ring("money", [2]) == 1, "what it found did not end the bell's thread"
    bell.close()
