"""Strikes at servers as processes, and at the disk they share."""

from contextlib import suppress
from typing import Final

import psutil

from workers.chaos.strikes.scene import DOWN_SECONDS, Scene
from workers.embedded.children import Child as Server

FULL_SECONDS: Final = 3.0


def _family(server: Server) -> list[psutil.Process]:
    if not server.running:
        return []
    with suppress(psutil.Error):
        parent = psutil.Process(server.pid)
        return [parent, *parent.children(recursive=True)]
    return []


def kill_server(scene: Scene, server: Server) -> str | None:
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
