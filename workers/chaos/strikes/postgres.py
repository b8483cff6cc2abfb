"""Strikes at the backends of Postgres."""

import signal
from contextlib import suppress
from typing import Final

from db.chaos import holding
from domain.errors import ExpectedError
from workers.chaos.house import OBSERVER
from workers.chaos.strikes.scene import Scene, send

FROZEN_BACKEND_SECONDS: Final = 3.0


def _backends(scene: Scene) -> list[int]:
    with suppress(ExpectedError), scene.house.observer.begin() as tx:
        return holding.backends(tx, OBSERVER)
    return []


def kill_backend(scene: Scene) -> str | None:
    """SIGKILL of one backend, as a kernel short of memory does: all of them end, and it recovers."""
    found = _backends(scene)
    if not found:
        return None
    send(found[0], signal.SIGKILL)
    return f"backend {found[0]}"


def freeze(scene: Scene) -> str | None:
    """One backend answers no more for a while, whatever it has locked."""
    found = _backends(scene)
    if not found:
        return None
    pid = found[0]
    send(pid, signal.SIGSTOP)
    scene.agenda.later(FROZEN_BACKEND_SECONDS, lambda: send(pid, signal.SIGCONT))
    return f"backend {pid} for {FROZEN_BACKEND_SECONDS:g} s"


def terminate(scene: Scene) -> str | None:
    """Every connection of ours is ended by the server."""
    with suppress(ExpectedError), scene.house.observer.begin() as tx:
        return f"{holding.terminate(tx, OBSERVER)} backends"
    return None
