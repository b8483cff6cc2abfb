"""How many wake-ups wait in the broker, and how many are held by processes."""

import redis

from domain.errors import UnreachableError
from workers.broker.rabbit_links import LINK_FAULTS, declare, linked, parameters
from workers.broker.redis_links import NAMESPACE, REDIS_SCHEMES, connect, masked
from workers.broker.scripts import Keys
from workers.broker.wakeups import QUEUES


def depths(url: str) -> dict[str, int]:
    """Return the wake-ups waiting, by queue. Raises `UnreachableError` where it does not answer."""
    if url.split(":", 1)[0] not in REDIS_SCHEMES:
        return _in_rabbit(url)
    client = connect(url)
    try:
        return {name: int(client.llen(Keys.of(NAMESPACE, name).waiting)) for name in QUEUES}
    except (redis.RedisError, OSError) as error:
        raise UnreachableError(f"Redis at {masked(url)} does not answer: {error}") from error
    finally:
        client.close()


def _in_rabbit(url: str) -> dict[str, int]:
    try:
        with linked(parameters(url)) as link, link.bounded():
            return {name: declare(link.channel, name) for name in QUEUES}
    except LINK_FAULTS as error:
        raise UnreachableError(f"RabbitMQ at {masked(url)} does not answer: {error!r}") from error
