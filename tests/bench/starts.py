"""From enqueueing to the job's first line, and what workers cost while they wait: start-up, memory, processor time."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import psutil

from domain.errors import BrokenError
from tests.bench import gateway, tables
from tests.bench.peers.catalog import Peer
from tests.bench.stands import world
from tests.bench.workers import family, fill, working
from workers.bench import note, wake
from workers.bench.figures import percentile
from workers.bench.load import cpu_seconds
from workers.bench.stand import Stand, opened, servers_of
from workers.bench.talkers import Said, say, talkers
from workers.broker import Bell

START_SECONDS_MAX: Final = 60.0
CALM_SECONDS: Final = 2.0
IDLE_SECONDS: Final = 5.0
OFTEN: Final = (0.04, 100)
SELDOM: Final = (1.0, 8)
LOOK_SECONDS: Final = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What was seen of two idle workers (or what stands for them), and of jobs that woke them."""

    start_seconds: float
    """From starting the workers to the first line of a job that waited for them."""
    processes: int
    megabytes: float
    """Memory of all their processes, pages they share counted once (PSS)."""
    largest_megabytes: float
    idle_percent: float
    """Processor time of them all while nothing is asked, of one core."""
    idle_percent_largest: float
    servers_idle_percent: float
    """The same of Postgres and Redis meanwhile, who are asked by those that ask again and again."""
    often_ms: tuple[float, float, float]
    """p50, p95, p99 at 25 a second."""
    seldom_ms: tuple[float, float, float]
    """The same at one a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A way to ask for one job after another, and when each was asked for and began, in seconds since 1970."""

    ask: Callable[[], object]
    asked: Callable[[], Mapping[int, float]]
    begun: Callable[[], Mapping[int, float]]


def of_peer(stand: Stand, peer: Peer) -> Start:
    """Measure a peer."""
    with world(stand, only_note=True) as made:
        tables.make(made, 0)
        fill(peer, made, 0)
        asked: dict[int, float] = {}
        ready = threading.Event()

        def hear(_number: int, said: Said) -> None:
            if "asked" in said:
                asked[said["asked"]] = said["at"]
            ready.set()

        with talkers(
            peer.module, "one", count=1, hear=hear, environment=made.environment()
        ) as desks:
            numbers = iter(range(1, 1_000))
            ways = Asked(
                ask=lambda: say(desks[0], str(next(numbers))),
                asked=asked.copy,
                begun=lambda: dict(gateway.read(made.notes)),
            )
            ready.wait(START_SECONDS_MAX)
            _ask_and_wait(ways, until=lambda: len(asked) == 1)
            began = time.time()
            with working(peer, made) as children:
                return _measure(stand, ways, began, lambda: family(children))


def of_bursar(stand: Stand) -> Start:
    """Measure two worker processes of the product, with a job that notes when its first statement ran."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BURSAR_")}
    heard = wake.Heard()
    asked: dict[int, float] = {}
    with stand.database() as url, opened(url) as database:
        environment |= {"BURSAR_DATABASE_URL": url, "BURSAR_BROKER_URL": stand.share.broker_url}
        bell = Bell(stand.share.broker_url)

        def ask() -> None:
            run, at = wake._ask(database, bell)
            asked[run] = at

        ways = Asked(ask=ask, asked=asked.copy, begun=heard.at.copy)
        ask()
        began = time.time()
        with talkers(note.__name__, count=2, hear=heard.hear, environment=environment) as children:
            try:
                return _measure(
                    stand, ways, began, lambda: [psutil.Process(c.pid) for c in children]
                )
            finally:
                bell.close()


def _measure(
    stand: Stand, ways: Asked, began: float, processes: Callable[[], list[psutil.Process]]
) -> Start:
    """Wait for the job that was asked for before; look at the workers idle; then wake them."""
    _wait(ways)
    [first] = ways.begun().values()
    _ask_and_wait(ways)  # whatever is opened for the first time
    gateway.pause(CALM_SECONDS)
    all_of_them = processes()
    roots = servers_of(stand.home)
    before = cpu_seconds(roots)
    idle = _idle_percent(all_of_them)
    servers = 100 * (cpu_seconds(roots) - before) / IDLE_SECONDS
    memory = [process.memory_full_info().pss / 1_048_576 for process in all_of_them]
    return Start(
        start_seconds=first - began,
        processes=len(all_of_them),
        megabytes=sum(memory),
        largest_megabytes=max(memory),
        idle_percent=sum(idle),
        idle_percent_largest=max(idle),
        servers_idle_percent=servers,
        often_ms=_latencies(ways, *OFTEN),
        seldom_ms=_latencies(ways, *SELDOM),
    )


def _idle_percent(processes: list[psutil.Process]) -> list[float]:
    before = [_used(process) for process in processes]
    gateway.pause(IDLE_SECONDS)
    return [100 * (_used(p) - b) / IDLE_SECONDS for p, b in zip(processes, before, strict=True)]


def _used(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        used = process.cpu_times()
        return float(used.user + used.system)
    return 0.0


def _latencies(ways: Asked, every_seconds: float, count: int) -> tuple[float, float, float]:
    known = ways.asked().keys()
    for number in range(count):
        # A little more or less than every time, so that no rhythm of a worker's own is met.
        gateway.pause(every_seconds * (0.75 + 0.5 * (number * 0.618 % 1)))
        ways.ask()
    _wait(ways, until=lambda: len(ways.asked()) == len(known) + count)
    asked, begun = ways.asked(), ways.begun()
    seen = [(begun[n] - asked[n]) * 1000 for n in asked.keys() - known]
    p50, p95, p99 = (percentile(seen, share) for share in (0.5, 0.95, 0.99))
    return p50, p95, p99


def _ask_and_wait(ways: Asked, until: Callable[[], bool] | None = None) -> None:
    count = len(ways.asked()) + 1
    ways.ask()
    if until is None:
        _wait(ways, until=lambda: len(ways.asked()) == count)
    else:
        _look(until)


def _wait(ways: Asked, until: Callable[[], bool] = lambda: True) -> None:
    """Wait until `until` holds and everything that was asked for has begun."""
    _look(lambda: until() and ways.asked().keys() <= ways.begun().keys())


def _look(reached: Callable[[], bool]) -> None:
    for _ in range(int(START_SECONDS_MAX / LOOK_SECONDS)):
        if reached():
            return
        gateway.pause(LOOK_SECONDS)
    raise BrokenError(f"a job did not begin within {START_SECONDS_MAX} s")
