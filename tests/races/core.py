"""Races about runs, ticks, sweeps, switches and named leases."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from db import leases, run_states, runs, switches, wakes
from db.runs import Known, Request, Started
from db.ticks import Target
from db.tx import Tx
from db.workers import Worker
from domain.payouts import PROCESS
from domain.runs import Origin, RunState
from domain.schedules import CatchUp, Rhythm, Schedule
from domain.switches import MAINTENANCE
from jobs.catalog import Ports, build
from schedules.ticker import Clocks, Ticker
from tests.builders import change, rows
from tests.races import parts, payouts
from tests.races.explorer import Act, Race
from tests.races.parts import process, works
from tests.races.sides import Side
from tests.races.stage import Stage
from workers.broker import Bell, RunningWorker
from workers.composition import Process
from workers.runner.bounds import Bounds
from workers.runner.execute import Runner
from workers.sweep import SweepThread

DAY: Final = 86_400
TIMETABLE: Final = [
    Schedule(name=name, job=PROCESS, rhythm=Rhythm(every_seconds=DAY), catch_up=CatchUp.RUN_LATEST)
    for name in ("payouts.first", "payouts.second")
]
TARGETS: Final = {PROCESS: Target(job=PROCESS, queue="money", version=1, is_alone=False)}
JOB: Final = "upkeep.prune"
LEASE: Final = f"job:{JOB}"
KNOWN: Final = [Known(job=JOB, queue="rest", version=1, width_max=1)]
REQUEST: Final = Request(job=JOB, queue="rest", version=1, origin=Origin.OPERATOR, key="once")


def in_tx(work: Callable[[Tx, Stage], Any]) -> Act:
    """A side that does one thing in one transaction."""
    return lambda stage: stage.worker.transact(lambda tx: work(tx, stage))


def ticks(by: str) -> Act:
    """A scheduler that looks once."""

    def act(stage: Stage) -> list[int]:
        rung: list[int] = []
        ticker = Ticker(
            stage.worker,
            TIMETABLE,
            TARGETS,
            clocks=Clocks(wall=lambda: datetime.now(UTC), monotonic=lambda: 0.0),
            ring=lambda _queue, made: rung.extend(made),
            by=by,
            host=by,
        )
        ticker.look()
        return rung

    return act


def missed(stage: Stage) -> None:
    """Two schedules, each with a time that came while nobody looked."""
    ticks("before")(stage)
    change(
        stage.worker,
        """UPDATE schedule_progress
           SET accounted_until = accounted_until - interval '1 day', next_tick_at = accounted_until""",
    )


def each_tick_once(stage: Stage, sides: Sequence[Side]) -> None:
    """One run for each schedule, rung for by whoever made it."""
    made = [r.id for r in rows(stage.worker, "SELECT id FROM runs WHERE origin = 'tick'")]
    assert len(made) == len(TIMETABLE)
    assert sorted(run for side in sides for run in side.result) == sorted(made)


def sweeps(name: str) -> Act:
    """A worker process sweeps once; its serving part is offered nothing here."""

    def act(stage: Stage) -> list[int]:
        rung: list[tuple[int, str]] = []
        jobs = build(Ports(bank=stage.bank))
        runner = Runner(
            database=stage.worker,
            jobs=jobs,
            bounds=Bounds(),
            worker=name,
            ring=rung.extend,
            stop=threading.Event(),
        )
        made = Process(
            database=stage.worker,
            jobs=jobs,
            runner=runner,
            bell=Bell("redis://127.0.0.1:1"),
            registered=Worker(id=name, host="here", pid=1, version="1", jobs=sorted(jobs)),
        )
        SweepThread(made, RunningWorker({}, {})).sweep()
        return [run for run, _ in rung]

    return act


def died(stage: Stage) -> Started:
    """Due payouts, and a run whose process died: its lease has ended."""
    parts.payouts(stage, 2)
    return abandoned(stage)


def abandoned(stage: Stage) -> Started:
    """A run whose lease has ended, though its process may yet come back."""

    def take(tx: Tx) -> Started | None:
        [run] = runs.enqueue(tx, [REQUEST])
        return runs.start(tx, run.id, KNOWN, worker="w0", lease_seconds=0.0)

    started = stage.worker.transact(take)
    assert started is not None
    return started


def called_dead(stage: Stage) -> list[Any]:
    """A payout sent by a run of worker `w0`, whose leases are live; its answers."""
    parts.payouts(stage, 1)
    known = [Known(job=PROCESS, queue="money", version=1, width_max=1)]
    request = Request(job=PROCESS, queue="money", version=1, origin=Origin.OPERATOR)

    def take(tx: Tx) -> Started | None:
        [run] = runs.enqueue(tx, [request])
        return runs.start(tx, run.id, known, worker="w0", lease_seconds=3600)

    started = stage.worker.transact(take)
    assert started is not None
    items = parts.claim(stage, process, run=started.id, lease_seconds=3600)
    return parts.act(stage, process, items)


def settles_own(stage: Stage) -> dict[str, int]:
    """Worker `w0`, which lives, settles."""
    [answer] = stage.given
    [row] = rows(stage.worker, "SELECT min(id) AS run FROM runs")
    return parts.settle(stage, process, [answer], run=row.run)


def inherits(stage: Stage) -> object:
    """A neighbour that sees worker `w0` dead, ends its leases, and works on what comes free."""
    stage.worker.transact(lambda tx: leases.lapse(tx, ["w0"], lease_seconds=7200))
    return works(process, 99)(stage)


def swept_once(stage: Stage, sides: Sequence[Side]) -> None:
    """The dead run is queued again, one wake run and one watch a minute are made, each rung for once."""
    found = {
        (r.origin, r.state): r.n
        for r in rows(
            stage.worker, "SELECT origin, state, count(*) AS n FROM runs GROUP BY origin, state"
        )
    }
    # Two where a minute begins in between; that each minute has one is a constraint's promise.
    assert found.pop(("watch", "queued")) in {1, 2}
    assert found == {("operator", "queued"): 1, ("wake", "queued"): 1}
    rung = [run for side in sides for run in side.result]
    assert sorted(rung) == sorted(set(rung)), "rung for twice"


def starts(worker: str) -> Act:
    """A worker that a message names the run to."""

    def start(tx: Tx, stage: Stage) -> Started | None:
        return runs.start(tx, stage.given, KNOWN, worker=worker, lease_seconds=15)

    return in_tx(start)


def queued(stage: Stage) -> int:
    """A queued run."""
    return stage.worker.transact(lambda tx: runs.enqueue(tx, [REQUEST])[0].id)


def taken_once(stage: Stage, sides: Sequence[Side]) -> None:
    assert sum(side.result is not None for side in sides) == 1


def ends(tx: Tx, stage: Stage) -> bool:
    return runs.end(tx, stage.given, RunState.SUCCEEDED, tally={}, reason=None)


def buries(tx: Tx, _stage: Stage) -> list[Any]:
    """Somebody's sweep finds the run's lease ended, and queues it again."""
    crashed = run_states.mark_crashed(tx)
    return run_states.requeue(tx, [c.run for c in crashed])


def ended_or_buried(stage: Stage, sides: Sequence[Side]) -> None:
    [run] = rows(stage.worker, "SELECT state FROM runs")
    assert run.state == ("succeeded" if sides[0].result else "queued")
    assert bool(sides[1].result) == (not sides[0].result)


def takes_lease(run: int) -> Act:
    """A sweep's run that wants the lease of its job; gives it back after a page."""

    def act(stage: Stage) -> int | None:
        token = stage.worker.transact(
            lambda tx: leases.acquire(tx, LEASE, run=run, worker=f"w{run}", lease_seconds=15)
        )
        if token is None:
            return None
        assert stage.worker.transact(lambda tx: leases.check(tx, LEASE, token)), "a live lease"
        return token

    return act


def turns_a_page(stage: Stage) -> bool:
    """The holder whose lease has lapsed writes a page under it."""

    def page(tx: Tx) -> bool:
        if not leases.check(tx, LEASE, stage.given):
            return False
        return bool(
            switches.turn(tx, "job:upkeep.audit", on=True, who="page", why="written by the page")
        )

    return stage.worker.transact(page)


def lapsed_lease(stage: Stage) -> int:
    """A lease on a job that has lapsed."""
    token = stage.worker.transact(
        lambda tx: leases.acquire(tx, LEASE, run=1, worker="w1", lease_seconds=0.0)
    )
    assert token is not None
    return token


def one_lease(stage: Stage, sides: Sequence[Side]) -> None:
    tokens = [side.result for side in sides if side.result is not None]
    [row] = rows(stage.worker, "SELECT token FROM leases")
    assert tokens == [row.token]


def enqueued_once(stage: Stage, sides: Sequence[Side]) -> None:
    ids = {side.result[0].id for side in sides}
    assert len(ids) == 1
    assert sum(side.result[0].is_new for side in sides) == 1


def maintained(stage: Stage, sides: Sequence[Side]) -> None:
    """Whatever was claimed before is sent and settled; nothing is left half done."""
    sent = len(stage.bank.submits)
    assert sent == (0 if sides[0].result is None else 1)


def holds(tx: Tx, _stage: Stage) -> object:
    return switches.turn(tx, MAINTENANCE, on=True, who="asha", why="because")


def wakes_up(tx: Tx, _stage: Stage) -> list[tuple[int, str]]:
    return wakes.wake(tx, [Known(job=PROCESS, queue="money", version=1, width_max=1)])


def one_wake(stage: Stage, sides: Sequence[Side]) -> None:
    assert len(rows(stage.worker, "SELECT id FROM runs")) == 1
    assert sum(len(side.result) for side in sides) == 1


ALL: Final = (
    Race(
        name="scheduler/scheduler",
        prepare=missed,
        sides=(ticks("a"), ticks("b")),
        check=each_tick_once,
    ),
    Race(name="sweep/sweep", prepare=died, sides=(sweeps("a"), sweeps("b")), check=swept_once),
    Race(
        name="wake/wake",
        prepare=lambda stage: parts.payouts(stage, 1),
        sides=(in_tx(wakes_up), in_tx(wakes_up)),
        check=one_wake,
    ),
    Race(name="start/start", prepare=queued, sides=(starts("a"), starts("b")), check=taken_once),
    Race(
        name="end/crashed",
        prepare=abandoned,
        sides=(in_tx(ends), in_tx(buries)),
        check=ended_or_buried,
    ),
    Race(
        name="enqueue/enqueue",
        sides=(in_tx(lambda tx, _: runs.enqueue(tx, [REQUEST])),) * 2,
        check=enqueued_once,
    ),
    Race(
        name="lease/lease",
        prepare=lapsed_lease,
        sides=(takes_lease(2), takes_lease(3)),
        check=one_lease,
    ),
    Race(
        name="settle/called-dead",
        prepare=called_dead,
        sides=(settles_own, inherits),
        check=payouts.one_settled,
    ),
    Race(name="page/takeover", prepare=lapsed_lease, sides=(turns_a_page, takes_lease(2))),
    Race(
        name="process/maintenance",
        prepare=lambda stage: parts.payouts(stage, 1),
        sides=(works(process, 1), in_tx(holds)),
        check=maintained,
    ),
)
