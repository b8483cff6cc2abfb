"""A peer's processes: its desk, its workers; started as its documentation says, ended whatever they do."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

from domain.errors import BrokenError
from tests.bench import gateway, tables
from tests.bench.peers.catalog import Peer
from tests.bench.world import ROOT, World

STOP_SECONDS_MAX: Final = 10.0
LOOK_SECONDS: Final = 0.02
TAIL: Final = 2_000

Children = list["subprocess.Popen[bytes]"]


def fill(peer: Peer, world: World, items: int) -> None:
    """Make the peer's own tables, and its backlog of `items` payouts. Raises `BrokenError`."""
    done = subprocess.run(
        [*_desk(peer), "fill", str(items)],
        env=world.environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BrokenError(f"{peer.title} did not enqueue: {done.stderr[-TAIL:]}")


def _desk(peer: Peer) -> list[str]:
    [command, *_] = peer.commands(World(url="", broker_url="", notes=""))
    return [command[0], "-m", peer.module]


@contextmanager
def working(peer: Peer, world: World) -> Iterator[Children]:
    """Yield the peer's workers, just started; all their processes have ended afterwards."""
    log = Path(world.notes).with_suffix(".log")
    children: Children = []
    try:
        with log.open("ab") as out:
            for command in peer.commands(world):
                child = subprocess.Popen(
                    command,
                    env=world.environment(),
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )
                children.append(child)
        yield children
    finally:
        _end(children)


def family(children: Children) -> list[psutil.Process]:
    """Return the living processes of these workers."""
    found: list[psutil.Process] = []
    for child in children:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(child.pid)
            found += [process, *process.children(recursive=True)]
    return found


def _end(children: Children) -> None:
    """Ask them to end, then make them."""
    everybody = family(children)
    for child in children:
        child.terminate()
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(STOP_SECONDS_MAX)
    for process in everybody:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    for child in children:
        child.wait()


def wait_until(
    reached: Callable[[], bool], world: World, children: Children, seconds_max: float
) -> None:
    """Look again and again. Raises `BrokenError` when a worker ends, or at the end of the time."""
    looks = int(seconds_max / LOOK_SECONDS)
    for _ in range(looks):
        if reached():
            return
        if any(child.poll() is not None for child in children):
            raise BrokenError(f"a worker ended before its time: {_tail(world)}")
        gateway.pause(LOOK_SECONDS)
    seen = f"{gateway.count(world.notes)} calls, {tables.paid(world)} paid"
    raise BrokenError(f"not done within {seconds_max} s ({seen}): {_tail(world)}")


def _tail(world: World) -> str:
    log = Path(world.notes).with_suffix(".log")
    return log.read_text(errors="replace")[-TAIL:] if log.exists() else ""
