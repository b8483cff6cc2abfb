"""How many wake-ups wait in the broker, and how many are held by processes."""

import redis

from domain.errors import UnreachableError
from workers.broker.redis_links import NAMESPACE, REDIS_SCHEMES, connect, masked
from workers.broker.scripts import Keys
from workers.broker.wakeups import QUEUES


def depths(url: str) -> dict[str, int]:
    """Return the wake-ups waiting, by queue; empty for a broker that is not Redis.

    Raises `UnreachableError` where it does not answer.
    """
    if url.split(":", 1)[0] not in REDIS_SCHEMES:
        return {}
    client = connect(url)
    try:
        return {name: int(client.llen(Keys.of(NAMESPACE, name).waiting)) for name in QUEUES}
    except (redis.RedisError, OSError) as error:
        raise UnreachableError(f"Redis at {masked(url)} does not answer: {error}") from error
    finally:
        client.close()
