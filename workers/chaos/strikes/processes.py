"""Strikes at our own processes: killed, frozen past their leases, asked to stop, one after the other."""

import signal
from contextlib import suppress
from typing import Final

from db.chaos import holding
from domain.errors import ExpectedError
from workers.chaos.strikes.scene import Scene, send
from workers.supervisor.child import Child

FROZEN_SECONDS: Final = 4.0
"""Beyond its lease: others have taken over by then what it holds."""


def _running(scene: Scene) -> dict[int, Child]:
    return {child.pid: child for child in scene.house.workers if child.pid is not None}


def busiest(scene: Scene) -> Child | None:
    """The worker that holds most; None: none holds anything at this moment."""
    running = _running(scene)
    found = None
    with suppress(ExpectedError), scene.house.observer.begin() as tx:
        found = holding.busiest(tx, list(running))
    return None if found is None else running[found]


def worker(scene: Scene) -> Child | None:
    """The worker that holds most, or any."""
    running = list(_running(scene).values())
    return busiest(scene) or (scene.chance.choice(running) if running else None)


def any_of(scene: Scene, name: str) -> Child | None:
    """One of the processes of a kind, by chance."""
    running = scene.house.named(name)
    return scene.chance.choice(running) if running else None


def kill(child: Child | None) -> str | None:
    """SIGKILL."""
    if child is None or child.pid is None:
        return None
    told = f"{child.name} (pid {child.pid})"
    child.kill()
    return told


def freeze(scene: Scene, child: Child | None) -> str | None:
    """Stop it until its leases are over and more."""
    if child is None or child.pid is None:
        return None
    pid, seconds = child.pid, scene.house.plan.lease_seconds + FROZEN_SECONDS
    send(pid, signal.SIGSTOP)
    scene.agenda.later(seconds, lambda: send(pid, signal.SIGCONT))
    return f"{child.name} (pid {pid}) for {seconds:g} s"


def stop(scene: Scene) -> str | None:
    """SIGTERM: it ends what it began, and is started again."""
    child = worker(scene)
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
