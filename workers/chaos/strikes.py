"""Every fault the storm can make, by name: what it does, and that there is something to do it to."""

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Final

import psutil
import redis

from db import switches
from db.chaos import holding
from domain.errors import ExpectedError
from domain.switches import MAINTENANCE
from workers.chaos.agenda import Agenda
from workers.chaos.house import OBSERVER, RELEASES, SANDBOX, SCHEDULER, House
from workers.chaos.link import Link
from workers.chaos.people import WHO
from workers.embedded.children import Child as Server
from workers.supervisor.child import Child

DOWN_SECONDS: Final = 2.0
FULL_SECONDS: Final = 3.0
STALL_SECONDS: Final = 2.5
FROZEN_BACKEND_SECONDS: Final = 3.0
COMMITS_CUT: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a strike works on."""

    house: House
    agenda: Agenda
    chance: Random


Strike = Callable[[Scene], str | None]
"""Strikes, and says whom; None: there was nothing to strike, so it does not count."""


def _worker(scene: Scene) -> Child | None:
    """The worker that holds most, or any."""
    running = {child.pid: child for child in scene.house.workers if child.running}
    if not running:
        return None
    busiest = None
    with suppress(ExpectedError), scene.house.observer.begin() as tx:
        busiest = holding.busiest(tx, [pid for pid in running if pid])
    return running.get(busiest) or scene.chance.choice(list(running.values()))


def _any(scene: Scene, name: str) -> Child | None:
    running = scene.house.named(name)
    return scene.chance.choice(running) if running else None


def _kill(child: Child | None) -> str | None:
    if child is None or child.pid is None:
        return None
    told = f"{child.name} (pid {child.pid})"
    child.kill()
    return told


def _freeze(scene: Scene, child: Child | None) -> str | None:
    """Stop it until its leases are over and more."""
    if child is None or child.pid is None:
        return None
    pid, seconds = child.pid, scene.house.plan.lease_seconds + 1.5
    _signal(pid, signal.SIGSTOP)
    scene.agenda.later(seconds, lambda: _signal(pid, signal.SIGCONT))
    return f"{child.name} (pid {pid}) for {seconds:g} s"


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def worker_stop(scene: Scene) -> str | None:
    """SIGTERM: it ends what it began, and is started again."""
    child = _worker(scene)
    if child is None:
        return None
    child.ask_to_stop()
    return child.name


def rolling(scene: Scene) -> str | None:
    """Every worker in turn, a second apart."""
    running = [child for child in scene.house.workers if child.running]
    for turn, child in enumerate(running):
        scene.agenda.later(float(turn), child.ask_to_stop)
    return ", ".join(child.name for child in running) or None


def _family(server: Server) -> list[psutil.Process]:
    if not server.running:
        return []
    with suppress(psutil.Error):
        parent = psutil.Process(server.pid)
        return [parent, *parent.children(recursive=True)]
    return []


def _kill_server(scene: Scene, server: Server) -> str | None:
    """SIGKILL with all its processes; started again after a while."""
    family = _family(server)
    for process in family:
        with suppress(psutil.Error):
            process.kill()
    if not family:
        return None
    server.stop()
    scene.agenda.later(DOWN_SECONDS, scene.house.start_servers)
    return f"{len(family)} processes"


def redis_freeze(scene: Scene) -> str | None:
    """It accepts, and never answers."""
    server = scene.house.pair.redis
    if not server.running:
        return None
    pid = server.pid
    _signal(pid, signal.SIGSTOP)
    scene.agenda.later(STALL_SECONDS, lambda: _signal(pid, signal.SIGCONT))
    return f"for {STALL_SECONDS:g} s"


def _ask_redis(scene: Scene, ask: Callable[["redis.Redis"], object]) -> str | None:
    url = f"unix://{scene.house.pair.sockets}/redis.sock"
    with (
        suppress(redis.RedisError, OSError),
        redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as client,
    ):
        return str(ask(client))
    return None


def _flush(client: "redis.Redis") -> str:
    keys = client.dbsize()
    client.flushall()
    client.script_flush()
    return f"{keys} keys"


def _backends(scene: Scene) -> list[int]:
    with suppress(ExpectedError), scene.house.observer.begin() as tx:
        return holding.backends(tx, OBSERVER)
    return []


def postgres_backend(scene: Scene) -> str | None:
    """SIGKILL of one backend, as a kernel short of memory does: all of them end, and it recovers."""
    found = _backends(scene)
    if not found:
        return None
    _signal(found[0], signal.SIGKILL)
    return f"backend {found[0]}"


def postgres_freeze(scene: Scene) -> str | None:
    """One backend answers no more for a while, whatever it has locked."""
    found = _backends(scene)
    if not found:
        return None
    pid = found[0]
    _signal(pid, signal.SIGSTOP)
    scene.agenda.later(FROZEN_BACKEND_SECONDS, lambda: _signal(pid, signal.SIGCONT))
    return f"backend {pid} for {FROZEN_BACKEND_SECONDS:g} s"


def postgres_terminate(scene: Scene) -> str | None:
    """Every connection of ours is ended by the server."""
    with suppress(ExpectedError), scene.house.observer.begin() as tx:
        return f"{holding.terminate(tx, OBSERVER)} backends"
    return None


def _drop(link: Link) -> str | None:
    count = link.drop()
    return f"{count} connections" if count else None


def _half_close(link: Link) -> str | None:
    count = link.half_close()
    return f"{count} connections" if count else None


def _stall(scene: Scene, link: Link) -> str:
    link.stall()
    scene.agenda.later(STALL_SECONDS, link.heal)
    return f"for {STALL_SECONDS:g} s"


def _refuse(scene: Scene, link: Link) -> str:
    link.refuse()
    scene.agenda.later(DOWN_SECONDS, link.heal)
    return f"for {DOWN_SECONDS:g} s"


def cut_commits(scene: Scene) -> str:
    """The next commits arrive, and nobody hears of it."""
    scene.house.database_link.cut_commits(COMMITS_CUT)
    return f"{COMMITS_CUT} commits"


def fill_disk(scene: Scene) -> str | None:
    """Not a byte is left for the servers; then there is room again."""
    disk = scene.house.disk
    if disk is None:
        return None
    disk.fill()

    def over() -> bool:
        disk.clear()
        return scene.house.start_servers()

    scene.agenda.later(FULL_SECONDS, over)
    return f"for {FULL_SECONDS:g} s"


def maintenance(scene: Scene) -> str | None:
    """Somebody holds everything back for a moment."""

    def turn(*, on: bool) -> bool:
        with suppress(ExpectedError), scene.house.observer.begin() as tx:
            switches.turn(tx, MAINTENANCE, on=on, who=WHO, why="a storm")
            return True
        return False

    if not turn(on=True):
        return None
    scene.agenda.later(DOWN_SECONDS, lambda: turn(on=False))
    return f"for {DOWN_SECONDS:g} s"


PASSIVE: Final = frozenset({"bank-faults", RELEASES})
"""There all the time: they need no moment to strike at."""
DISK: Final = "disk-full"

STRIKES: Final[Mapping[str, Strike]] = {
    "worker-kill": lambda scene: _kill(_worker(scene)),
    "worker-freeze": lambda scene: _freeze(scene, _worker(scene)),
    "worker-stop": worker_stop,
    "scheduler-kill": lambda scene: _kill(_any(scene, SCHEDULER)),
    "scheduler-freeze": lambda scene: _freeze(scene, _any(scene, SCHEDULER)),
    "deploy-rolling": rolling,
    "redis-kill": lambda scene: _kill_server(scene, scene.house.pair.redis),
    "redis-flush": lambda scene: _ask_redis(scene, _flush),
    "redis-clients": lambda s: _ask_redis(s, lambda c: c.client_kill_filter(_type="normal")),
    "redis-freeze": redis_freeze,
    "postgres-kill": lambda scene: _kill_server(scene, scene.house.pair.postgres),
    "postgres-backend": postgres_backend,
    "postgres-terminate": postgres_terminate,
    "postgres-freeze": postgres_freeze,
    "network-database-drop": lambda scene: _drop(scene.house.database_link),
    "network-database-stall": lambda scene: _stall(scene, scene.house.database_link),
    "network-database-half": lambda scene: _half_close(scene.house.database_link),
    "network-database-commits": cut_commits,
    "network-broker-drop": lambda scene: _drop(scene.house.broker_link),
    "network-broker-stall": lambda scene: _stall(scene, scene.house.broker_link),
    "network-broker-half": lambda scene: _half_close(scene.house.broker_link),
    "network-bank-drop": lambda scene: _drop(scene.house.bank_link),
    "network-bank-refuse": lambda scene: _refuse(scene, scene.house.bank_link),
    "network-bank-half": lambda scene: _half_close(scene.house.bank_link),
    "bank-kill": lambda scene: _kill(_any(scene, SANDBOX)),
    "people-maintenance": maintenance,
    DISK: fill_disk,
}
FAULTS: Final = (*STRIKES, *sorted(PASSIVE))
GROUPS: Final = tuple(dict.fromkeys(name.partition("-")[0] for name in FAULTS))
"""A group's name stands for all of its faults."""
