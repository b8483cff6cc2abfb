"""Who is compared: how the workers of each are started, how much each is given, and what was done in its favour."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.bench.world import ROOT, World

_HOME: Final = "tests.bench.peers."


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One of the others, in one way of using it."""

    name: str
    title: str
    package: str
    module: str
    """What enqueues for it, run with `desk`'s commands."""
    commands: Callable[[World], list[list[str]]]
    """What starts its workers: a command line for each."""
    items: int
    """Payouts at a gateway that answers at once: about six seconds of its work."""
    slow_items: int
    """The same at a gateway of 20 ms."""
    how: str


def _python(*words: str) -> list[str]:
    return [sys.executable, "-m", *words]


def _dramatiq(module: str) -> Callable[[World], list[list[str]]]:
    def commands(world: World) -> list[list[str]]:
        sizes = ["--processes", str(world.processes), "--threads", str(world.threads)]
        return [_python("dramatiq", _HOME + module, *sizes)]

    return commands


def _celery(pool: str) -> Callable[[World], list[list[str]]]:
    """Threads: a command for each process. Prefork: one command, whose children are the processes."""

    def commands(world: World) -> list[list[str]]:
        prefork = pool == "prefork"
        count = 1 if prefork else world.processes
        at_once = world.threads * (world.processes if prefork else 1)
        words = ["--pool", pool, "--concurrency", str(at_once), "--loglevel", "ERROR"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        return [
            _python("celery", "-A", _HOME + "celery", "worker", *words, *quiet, "-n", f"{n}@bench")
            for n in range(count)
        ]

    return commands


def _rq(worker: str) -> Callable[[World], list[list[str]]]:
    def commands(world: World) -> list[list[str]]:
        count = str(world.processes * world.threads)
        words = [
            "-n",
            count,
            "-u",
            world.broker_url,
            "-w",
            _HOME + "rq_workers." + worker,
            "-P",
            str(ROOT),
            "-q",
        ]
        return [_python("rq.cli", "worker-pool", "pay", *words)]

    return commands


def _procrastinate(world: World) -> list[list[str]]:
    app = ["--app", _HOME + "procrastinate.app", "worker", "--queues", "pay"]
    return [_python("procrastinate", *app, "-c", str(world.threads))] * world.processes


def _pgqueuer(batch: int) -> Callable[[World], list[list[str]]]:
    def commands(world: World) -> list[list[str]]:
        return [_python(_HOME + "pgqueuer", "work", str(batch))] * world.processes

    return commands


def _dbos(world: World) -> list[list[str]]:
    return [_python(_HOME + "dbos", "work")] * world.processes


PEERS: Final = (
    Peer(
        name="pgqueuer-100",
        title="PgQueuer, batches of 100",
        package="pgqueuer",
        module=_HOME + "pgqueuer",
        commands=_pgqueuer(100),
        items=20_000,
        slow_items=1_600,
        how="asyncpg; ten times its default batch; one statement a payout, its own row is the lease",
    ),
    Peer(
        name="pgqueuer",
        title="PgQueuer, batches of 10",
        package="pgqueuer",
        module=_HOME + "pgqueuer",
        commands=_pgqueuer(10),
        items=12_000,
        slow_items=1_600,
        how="the same with its default batch",
    ),
    Peer(
        name="dramatiq",
        title="Dramatiq",
        package="dramatiq",
        module=_HOME + "dramatiq",
        commands=_dramatiq("dramatiq"),
        items=12_000,
        slow_items=1_600,
        how="Redis; stock settings; a message a payout; claim by compare-and-swap, then settle",
    ),
    Peer(
        name="dramatiq-orm",
        title="Dramatiq with SQLAlchemy's ORM",
        package="dramatiq",
        module=_HOME + "dramatiq_orm",
        commands=_dramatiq("dramatiq_orm"),
        items=2_400,
        slow_items=1_200,
        how="the same, the work done by sessions and objects, as most applications write it",
    ),
    Peer(
        name="celery-threads",
        title="Celery, threads",
        package="celery",
        module=_HOME + "celery",
        commands=_celery("threads"),
        items=6_000,
        slow_items=1_600,
        how="Redis; acks late; results, events, gossip, mingle and heartbeats off",
    ),
    Peer(
        name="celery-prefork",
        title="Celery, 16 processes",
        package="celery",
        module=_HOME + "celery",
        commands=_celery("prefork"),
        items=5_000,
        slow_items=1_600,
        how="the same, its default pool",
    ),
    Peer(
        name="procrastinate",
        title="Procrastinate",
        package="procrastinate",
        module=_HOME + "procrastinate",
        commands=_procrastinate,
        items=3_000,
        slow_items=1_200,
        how="coroutines; one statement a payout through asyncpg, its own row is the lease",
    ),
    Peer(
        name="rq-simple",
        title="RQ, 16 workers without fork",
        package="rq",
        module=_HOME + "rq",
        commands=_rq("Staying"),
        items=2_400,
        slow_items=1_200,
        how="Redis; its pool of SimpleWorkers; results not kept; claim by compare-and-swap, then settle",
    ),
    Peer(
        name="rq",
        title="RQ, 16 workers",
        package="rq",
        module=_HOME + "rq",
        commands=_rq("Forking"),
        items=400,
        slow_items=300,
        how="the same with its default worker, which forks for each job; the job imported before",
    ),
    Peer(
        name="dbos",
        title="DBOS",
        package="dbos",
        module=_HOME + "dbos",
        commands=_dbos,
        items=1_500,
        slow_items=1_000,
        how="gateway and settle as steps; asked every 0.1 s instead of 1 s; 200 workflows a worker",
    ),
)
