"""The whole system as `bursar up` runs it: what it costs while nothing is to be done, and what its workers hold."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from db.bench import proof
from domain.errors import BrokenError
from domain.samples import sample_payouts, write_csv
from workers import embedded
from workers.bench.load import cpu_seconds, megabytes
from workers.bench.stand import SEED, opened, servers_of
from workers.procfile import BURSAR

READY: Final = '"worker.ready"'
WORKERS: Final = 2
START_SECONDS_MAX: Final = 120.0
DRAIN_SECONDS_MAX: Final = 300.0
CALM_SECONDS: Final = 8.0
"""Between the start of the last process and the first look: what start-up does is not idleness."""
POLL_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One running system with two workers. Memory is resident, of the largest worker process."""

    idle_cpu_percent: float
    """Of one core: every process of `up`, Postgres and Redis."""
    processes: int
    worker_megabytes: float
    """After start-up."""
    drained_megabytes: float | None
    """After payouts went through the sandbox bank; None where none were asked for."""


def measure(*, idle_seconds: float, items: int, calm_seconds: float = CALM_SECONDS) -> Measured:
    """Start everything, look at it idle, let `items` payouts through, stop everything. Raises `BrokenError`."""
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as folder:
        home = Path(folder)
        try:
            with _up(home) as (root, url):
                time.sleep(calm_seconds)
                roots = [root, *servers_of(embedded.Home(home))]
                percent = _idle_percent(roots, idle_seconds)
                before = _largest_worker(root)
                if items:
                    _pay(home, url, items)
                return Measured(
                    idle_cpu_percent=round(percent, 2),
                    processes=sum(1 + len(r.children(recursive=True)) for r in roots),
                    worker_megabytes=round(before, 1),
                    drained_megabytes=round(_largest_worker(root), 1) if items else None,
                )
        finally:
            embedded.Home(home).erase()


def _idle_percent(roots: list[psutil.Process], seconds: float) -> float:
    used, began = cpu_seconds(roots), time.monotonic()
    time.sleep(seconds)
    return 100 * (cpu_seconds(roots) - used) / (time.monotonic() - began)


def _largest_worker(root: psutil.Process) -> float:
    found = [p for p in root.children(recursive=True) if p.cmdline()[-1:] == ["worker"]]
    if not found:
        raise BrokenError("no worker process runs")
    return max(map(megabytes, found))


def _pay(home: Path, url: str, items: int) -> None:
    file = home / "payouts.csv"
    with file.open("w", encoding="utf-8") as stream:
        write_csv(sample_payouts(items, SEED), stream)
    command = [*BURSAR, "--home", str(home), "import", "payouts", str(file), "--approve"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with opened(url) as database:

        def sent() -> bool:
            with database.begin() as tx:
                return proof.left(tx) == 0

        _wait(sent, DRAIN_SECONDS_MAX, "the payouts were not all sent")


def _wait(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise BrokenError(otherwise)
        time.sleep(POLL_SECONDS)


@contextmanager
def _up(home: Path) -> Iterator[tuple[psutil.Process, str]]:
    """Yield `bursar up` with its workers ready, and the URL of its database; it has ended afterwards."""
    file = home / "up.log"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BURSAR_")}
    with file.open("w", encoding="utf-8") as log:
        up = subprocess.Popen(
            [*BURSAR, "--home", str(home), "up", "--workers", str(WORKERS)],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**environment, "BURSAR_LOG_FORMAT": "json"},
        )
    try:
        _wait(
            lambda: file.read_text(encoding="utf-8").count(READY) >= WORKERS,
            START_SECONDS_MAX,
            "`bursar up` did not start its workers",
        )
        [url] = re.findall(r"^database +(\S+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        yield psutil.Process(up.pid), url
    finally:
        up.terminate()
        try:
            up.wait(START_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            up.kill()
            up.wait()
