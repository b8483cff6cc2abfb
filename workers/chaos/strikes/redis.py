"""Strikes at Redis."""

import signal
from collections.abc import Callable
from contextlib import suppress

import redis

from workers.chaos.strikes.scene import STALL_SECONDS, Scene, send


def freeze(scene: Scene) -> str | None:
    """It accepts, and never answers."""
    server = scene.house.pair.redis
    if not server.running:
        return None
    pid = server.pid
    send(pid, signal.SIGSTOP)
    scene.agenda.later(STALL_SECONDS, lambda: send(pid, signal.SIGCONT))
    return f"for {STALL_SECONDS:g} s"


def ask(scene: Scene, act: Callable[["redis.Redis"], object]) -> str | None:
    """Let a client of our own do something to it."""
    url = f"unix://{scene.house.pair.sockets}/redis.sock"
    with (
        suppress(redis.RedisError, OSError),
        redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as client,
    ):
        return str(act(client))
    return None


def flush(client: "redis.Redis") -> str:
    """Empty it, scripts too."""
    keys = client.dbsize()
    client.flushall()
    client.script_flush()
    return f"{keys} keys"
