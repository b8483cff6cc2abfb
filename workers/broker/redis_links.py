"""Links to Redis: by URL or through Sentinel, with every wait bounded and nothing sent twice."""

from typing import Any, Final
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from domain.errors import BadInputError

SETTING: Final = "BURSAR_BROKER_URL"
NAMESPACE: Final = "bursar"
SOCKET_SECONDS: Final = 1.0
CONNECTIONS_MAX: Final = 128
SENTINEL_PORT: Final = 26_379
SENTINEL_SCHEMES: Final = ("redis+sentinel", "rediss+sentinel")
REDIS_SCHEMES: Final = ("redis", "rediss", "unix", *SENTINEL_SCHEMES)


def connect(url: str, *, socket_seconds: float = SOCKET_SECONDS) -> "redis.Redis":
    """Return a client for `url`; nothing is sent yet.

    `socket_seconds` bounds each connect, send and reply. Nothing is ever retried: a lost reply must
    not ring twice. Raises `BadInputError` where the URL is not one of ours.
    """
    limits: dict[str, Any] = {
        "socket_timeout": socket_seconds,
        "socket_connect_timeout": socket_seconds,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "driver_info": None,  # no CLIENT SETINFO: two more replies to wait for on each connect
        "max_connections": CONNECTIONS_MAX,
    }
    if urlsplit(url).scheme in SENTINEL_SCHEMES:
        return _through_sentinel(url, limits)
    try:
        return redis.Redis.from_url(url, **limits)
    except ValueError as error:
        raise BadInputError(SETTING, masked(url), str(error)) from None


def masked(url: str) -> str:
    """Return the URL without its password, fit for messages and logs."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"***@{host}" if "@" in parts.netloc else host, query="").geturl()


def _through_sentinel(url: str, limits: dict[str, Any]) -> "redis.Redis":
    """Understand `redis+sentinel://[user:password@]host[:port][,host…]/service[/database]`."""
    parts = urlsplit(url)
    account, _, hosts = parts.netloc.rpartition("@")
    service, _, database = parts.path.strip("/").partition("/")
    try:
        nodes = [_node(host) for host in hosts.split(",")]
        limits["db"] = int(database or 0)
    except ValueError:
        nodes = []
    if not nodes or not service:
        rule = "redis+sentinel://[user:password@]host[:port][,host[:port]]/service[/database]"
        raise BadInputError(SETTING, masked(url), rule)
    if account:
        user, _, password = account.rpartition(":") if ":" in account else ("", "", account)
        limits |= {"username": unquote(user) or None, "password": unquote(password)}
    if parts.scheme == "rediss+sentinel":
        limits["ssl"] = True
    guards = {k: v for k, v in limits.items() if k not in {"db", "username", "password"}}
    sentinel = Sentinel(nodes, sentinel_kwargs=guards, **limits)  # type: ignore[no-untyped-call]  # redis-py's
    client: redis.Redis = sentinel.master_for(service)  # type: ignore[no-untyped-call]  # redis-py's
    return client


def _node(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    if not parts.hostname:
        raise ValueError(host)
    return parts.hostname, parts.port or SENTINEL_PORT
