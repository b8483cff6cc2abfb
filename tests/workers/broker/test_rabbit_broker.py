"""The RabbitMQ broker as far as it can be seen without a server."""

from typing import Any

import pytest

from domain.errors import BrokenError, UnreachableError
from workers.broker import Bell, check_broker, open_broker
from workers.broker.rabbit_broker import RabbitBroker, declare
from workers.broker.wakeups import message_for

NOBODY = "amqp://127.0.0.1:1/"


class Channel:
    """Notes what is declared."""

    def __init__(self) -> None:
        self.declared: dict[str, Any] = {}

    def queue_declare(self, queue: str, *, durable: bool, arguments: dict[str, Any]) -> None:
        """Note it."""
        assert durable
        self.declared[queue] = arguments


def test_queues_are_quorum_queues_without_dead_letters() -> None:
    channel = Channel()
    declare(channel, "money")
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
