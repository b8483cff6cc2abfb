"""Strikes at our own processes: killed, frozen past their leases, asked to stop, one after the other."""

import signal
from contextlib import suppress

from db.chaos import holding
from domain.errors import ExpectedError
from workers.chaos.strikes.scene import Scene, send
from workers.supervisor.child import Child


def worker(scene: Scene) -> Child | None:
    """The worker that holds most, or any."""
    running = {child.pid: child for child in scene.house.workers if child.running}
    if not running:
        return None
    busiest = None
    with suppress(ExpectedError), scene.house.observer.begin() as tx:
        busiest = holding.busiest(tx, [pid for pid in running if pid])
    return running.get(busiest) or scene.chance.choice(list(running.values()))


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
    pid, seconds = child.pid, scene.house.plan.lease_seconds + 1.5
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
