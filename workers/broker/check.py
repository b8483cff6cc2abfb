"""Look at a broker before work starts, and refuse one that would lose wake-ups in silence."""

from typing import Any, Final
from urllib.parse import urlsplit

import pika  # type: ignore[import-untyped]  # it has no types
import redis

from domain.errors import BadInputError, RefusedError, UnreachableError
from workers.broker.opening import AMQP_SCHEMES
from workers.broker.rabbit_links import LINK_FAULTS, declare, linked, parameters
from workers.broker.redis_links import REDIS_SCHEMES, SETTING, connect, masked
from workers.broker.wakeups import QUEUES

VERSION_MIN: Final = (6, 2)
_REFUSALS: Final = (
    pika.exceptions.AuthenticationError,
    pika.exceptions.ProbableAuthenticationError,
    pika.exceptions.ProbableAccessDeniedError,
)


def check_broker(url: str) -> None:
    """Refuse an unsafe or unreachable broker.

    Raises `RefusedError` where it must not be used as it is set (the message names the setting and
    the cure), `UnreachableError` where it does not answer, and `BadInputError` where the URL names
    no broker of ours.
    """
    scheme = urlsplit(url).scheme
    if scheme in REDIS_SCHEMES:
        check_redis(url)
    elif scheme in AMQP_SCHEMES:
        _check_rabbit(url)
    else:
        raise BadInputError(SETTING, masked(url), "not a broker's URL")


def check_redis(url: str) -> None:
    """Refuse a Redis that evicts keys, is a replica, or is too old to block; raises as above."""
    client = connect(url)
    try:
        server = _facts(client)
        policy = server.get("maxmemory_policy") or _configured_policy(client)
    except redis.AuthenticationError as error:
        message = f"Redis at {masked(url)} refuses this account ({error}): check BURSAR_BROKER_URL"
        raise RefusedError(message) from None
    except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
        message = f"Redis at {masked(url)} does not answer: {str(error)[:200]}"
        raise UnreachableError(message) from None
    finally:
        client.close()
    for complaint in (_old(server), _evicts(policy), _replica(server)):
        if complaint:
            message = f"Redis at {masked(url)}: {complaint}"
            raise RefusedError(message)


def _facts(client: "redis.Redis") -> dict[str, Any]:
    try:
        return dict(client.info())
    except redis.ResponseError as error:
        if isinstance(error, redis.BusyLoadingError):
            raise
        return {}  # INFO is forbidden or renamed


def _configured_policy(client: "redis.Redis") -> str | None:
    try:
        found = client.config_get("maxmemory-policy")
    except redis.ResponseError:
        return None
    return str(found.get("maxmemory-policy")) if found else None


def _evicts(policy: str | None) -> str | None:
    if policy == "noeviction":
        return None
    cure = "set `maxmemory-policy noeviction` (CONFIG SET and the configuration file)"
    if policy is None:
        return f"maxmemory-policy cannot be read; allow this account INFO, and {cure}"
    return f"maxmemory-policy is {policy}, which drops wake-ups without an error; {cure}"


def _old(server: dict[str, Any]) -> str | None:
    version = str(server.get("redis_version", "6.2"))
    if tuple(map(int, version.split(".")[:2])) >= VERSION_MIN:
        return None
    return f"version {version} has no BLMOVE; use 6.2 or later"


def _replica(server: dict[str, Any]) -> str | None:
    if server.get("role", "master") == "master":
        return None
    return "it is a replica and takes no writes; point BURSAR_BROKER_URL at the primary"


def _check_rabbit(url: str) -> None:
    """Log in and see that the queues are ours, or can be made."""
    where = f"RabbitMQ at {masked(url)}"
    try:
        with linked(parameters(url)) as link, link.bounded():
            for queue in QUEUES:
                declare(link.channel, queue)
    except _REFUSALS as error:
        message = f"{where} refuses this account ({error!r}): check BURSAR_BROKER_URL"
        raise RefusedError(message) from None
    except pika.exceptions.ChannelClosedByBroker as error:
        cure = "let this account configure bursar.*, and delete queues of that name made otherwise"
        message = f"{where} refuses our quorum queues ({error.reply_text}): {cure}"
        raise RefusedError(message) from None
    except LINK_FAULTS as error:
        raise UnreachableError(f"{where} does not answer: {error!r}") from None
