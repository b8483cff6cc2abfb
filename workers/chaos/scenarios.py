"""Chosen faults over four phases: warm-up, baseline, fault, recovery. Five public ones, and four of pressure.

The first five are those of the public comparisons of Postgres queues, the last four their pressure
cells. Jobs lost and doubled are counted by id here, not from rates.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from db.chaos import pressure
from workers.chaos.house import OBSERVER
from workers.chaos.plan import Due, Plan
from workers.chaos.strikes import Scene, Strike, postgres, processes
from workers.embedded.servers import database_url

WARM = BASE = FAULT = RECOVERY = 0.25
"""Shares of the whole."""
PHASES: Final = ("warm-up", "baseline", "fault", "recovery")
KILLS: Final = 6
TERMINATES_A_SECOND: Final = 2
CONNECTIONS: Final = 150
READERS: Final = 4
PATIENCE_SECONDS: Final = 10.0
"""Within so long a payout is completed in time: sent, and asked about once or twice."""
COMPLETION_MIN: Final = 0.98
"""Of the baseline's share that is completed in time, in the recovery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What happens in the fault phase, of so many seconds; `load` is how much more work comes in then."""

    summary: str
    strike: Callable[[Scene, float], str | None]
    load: float = 1.0


def _down(scene: Scene, seconds: float) -> str:
    """Keep the first worker dead: killed as often as it is started."""
    first = scene.house.workers[0]
    for turn in range(int(seconds * 4)):
        scene.agenda.later(turn / 4, first.kill)
    return first.name


def _kill(scene: Scene) -> str | None:
    return processes.kill(processes.worker(scene))


def _restart(scene: Scene, seconds: float) -> str:
    """Stop Postgres in order for half of the phase."""
    postgres = scene.house.pair.postgres
    postgres.stop()
    scene.agenda.later(seconds / 2, scene.house.start_servers)
    return f"for {seconds / 2:g} s"


def _again(make: Strike, times: Callable[[float], int]) -> Callable[[Scene, float], str]:
    """Make a strike so often, evenly over the phase."""

    def strike(scene: Scene, seconds: float) -> str:
        count = times(seconds)
        for turn in range(count):
            scene.agenda.later(turn * seconds / count, lambda: make(scene))
        return f"{count} times"

    return strike


def _pressed(
    press: Callable[[str], AbstractContextManager[object]],
) -> Callable[[Scene, float], str]:
    """Keep a pressure up for the phase."""

    def strike(scene: Scene, seconds: float) -> str:
        url = database_url(scene.house.pair.sockets, user="postgres")
        pressing = press(f"{url}&application_name=pressure")
        pressing.__enter__()
        scene.agenda.later(seconds, lambda: pressing.__exit__(None, None, None))
        return f"for {seconds:g} s, beside {OBSERVER}"

    return strike


def _nothing(_scene: Scene, seconds: float) -> str:
    return f"for {seconds:g} s"


SCENARIOS: Final[Mapping[str, Scenario]] = {
    "crash-recovery": Scenario(
        summary="one of two workers is dead for the whole phase", strike=_down
    ),
    "postgres-restart": Scenario(
        summary="Postgres is stopped for half of the phase", strike=_restart
    ),
    "repeated-kills": Scenario(
        summary="SIGKILL of a worker, six times", strike=_again(_kill, lambda _: KILLS)
    ),
    "pg-backend-kill": Scenario(
        summary="every connection is ended by the server, twice a second",
        strike=_again(postgres.terminate, lambda s: int(s * TERMINATES_A_SECOND)),
    ),
    "pool-exhaustion": Scenario(
        summary="150 of 200 connections are held by others",
        strike=_pressed(lambda url: pressure.held(url, CONNECTIONS, with_id=False)),
    ),
    "idle-in-transaction": Scenario(
        summary="a transaction with an id is held open",
        strike=_pressed(lambda url: pressure.held(url, 1, with_id=True)),
    ),
    "sustained-high-load": Scenario(
        summary="half as much again comes in", strike=_nothing, load=1.5
    ),
    "active-readers": Scenario(
        summary="four long snapshots scan the work table",
        strike=_pressed(lambda url: pressure.readers(url, READERS)),
    ),
    "event-burst": Scenario(
        summary="three times as much comes in, then it drains", strike=_nothing, load=3.0
    ),
}


def edges(plan: Plan) -> list[float]:
    """Return where the phases begin and end, in seconds since the start."""
    whole = plan.storm_seconds
    return [0.0, WARM * whole, (WARM + BASE) * whole, (1 - RECOVERY) * whole, whole]


def strikes_of(name: str, plan: Plan) -> Mapping[str, Strike]:
    """Return the one strike of a scenario, as a storm makes it."""
    begins, ends = edges(plan)[2:4]
    return {name: lambda scene: SCENARIOS[name].strike(scene, ends - begins)}


def due_of(name: str, seconds: float) -> list[Due]:
    """Return when it comes."""
    return [Due(at_seconds=(WARM + BASE) * seconds, fault=name)]
