"""What people do at the wrong moment."""

from contextlib import suppress

from db import switches
from domain.errors import ExpectedError
from domain.switches import MAINTENANCE
from workers.chaos.people import WHO
from workers.chaos.strikes.scene import DOWN_SECONDS, Scene


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
