"""Nothing raises into a thread that moves money: what ends a call is a deadline on the call."""

import dramatiq
import pytest

from workers.broker import open_broker
from workers.broker.opening import MIDDLEWARE


@pytest.mark.parametrize("url", ["redis", "amqp://127.0.0.1:1/"])
def test_no_middleware_stands_between_a_message_and_its_run(url: str, redis_url: str) -> None:
    """F15: no TimeLimit, no ShutdownNotifications, no Retries: they raise into threads."""
    broker = open_broker(redis_url if url == "redis" else url)
    assert isinstance(broker, dramatiq.Broker)
    assert broker.middleware == list(MIDDLEWARE) == []
    broker.close()
