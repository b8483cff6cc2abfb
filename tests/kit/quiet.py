"""Let a healthy worker run until nothing changes any more: the product's own sweep, run after run, as time passes."""

from collections.abc import Callable
from dataclasses import dataclass, field

from db.engine import Database
from db.workers import Worker
from tests.builders import House, change, rows
from workers.broker import Bell, RunningWorker
from workers.composition import Process
from workers.sweep import SweepThread

ROUNDS_MAX = 30

LATER = """
    WITH leased AS (UPDATE work SET leased_until = clock_timestamp() WHERE leased_until IS NOT NULL),
    waiting AS (
      UPDATE work SET due_at = clock_timestamp()
      WHERE leased_until IS NULL AND due_at > clock_timestamp() AND due_at < 'infinity'),
    named AS (UPDATE leases SET leased_until = clock_timestamp()),
    limits AS (UPDATE rate_limits SET full_at = clock_timestamp(), cut_until = NULL, stopped_until = NULL)
    UPDATE runs SET due_at = due_at - interval '1 hour' WHERE state = 'queued'"""
"""As if an hour had passed: what was leased has lapsed, what waits is due, no bell was heard."""

STANDING = """
    SELECT (SELECT count(*) FROM moves) AS moves, (SELECT count(*) FROM entries) AS entries,
           (SELECT count(*) FROM runs WHERE state IN ('queued', 'running', 'held') AND origin <> 'watch') AS runs,
           (SELECT count(*) FROM leases) AS leases,
           (SELECT string_agg(concat_ws(' ', job, subject, tries, parked_reason, token), ',' ORDER BY subject, job)
            FROM work) AS work,
           (SELECT string_agg(concat_ws(' ', key, state, sends, status), ',' ORDER BY key)
            FROM effects) AS effects"""
"""What still changes while something is to be done."""


@dataclass
class Threads(RunningWorker):
    """Notes the runs that the sweep offers to a free thread."""

    offered: list[int] = field(default_factory=list)

    def offer(self, queue: str, run_id: int) -> bool:
        """Take it."""
        self.offered.append(run_id)
        return True


def run_to_quiet(
    house: House,
    owner: Database,
    passes: Callable[[], None] = lambda: None,
    rounds_max: int = ROUNDS_MAX,
) -> int:
    """Sweep and run until a whole round changed nothing; returns the rounds. Fails after `rounds_max`."""
    threads = Threads()
    sweep = sweep_of(house, threads)
    before: object = None
    for rounds in range(1, rounds_max + 1):
        change(owner, LATER)
        passes()
        sweep.sweep()
        _run_all(house, threads)
        standing = rows(owner, STANDING)[0]
        if standing == before and not standing.runs:
            return rounds
        before = standing
    raise AssertionError(f"not quiet after {rounds_max} rounds: {before}")


def _run_all(house: House, threads: Threads) -> None:
    while house.rung or threads.offered:
        runs = {*threads.offered, *(run for run, _ in house.rung)}
        house.rung.clear()
        threads.offered.clear()
        for run in sorted(runs):
            house.runner.execute(run)


def sweep_of(house: House, threads: RunningWorker | None = None) -> SweepThread:
    """The sweep of a process such as `house`; nothing is started."""
    process = Process(
        database=house.database,
        jobs=dict(house.jobs),
        runner=house.runner,
        bell=Bell("redis://127.0.0.1:1"),
        registered=Worker(
            id=house.worker, host="here", pid=1, version="1", jobs=sorted(house.jobs)
        ),
    )
    return SweepThread(process, threads or Threads())
