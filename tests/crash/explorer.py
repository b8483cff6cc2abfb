"""Kill a process at one point of what it does, let a healthy one run to quiet, and look at everything.

The world is prepared once and brought back for each death; the one that dies is forked from this
process, whose fakes answer its outside calls and so outlive it.
"""

import copy
import os
import signal
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from db.engine import Database
from domain.payout_ids import reference
from domain.ports import FrozenCall, FrozenRequest
from jobs.shapes import Sweep
from jobs.upkeep.watch import Watch
from tests.builders import rows
from tests.crash.child import DIED, DYING, live
from tests.crash.points import Fault, Point, common
from tests.kit.judging import broken
from tests.kit.quiet import run_to_quiet
from tests.kit.snapshot import Snapshot
from tests.kit.world import Doors, Fakes, Scene, World, doors, scene
from tests.lending import Lender
from tests.servers import Databases
from tests.waiting import eventually

RUNS = "SELECT state FROM runs WHERE job = :job"
CONNECTED = """
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = :name"""
PAYOUTS = """
    SELECT p.id, p.state, p.generation, e.reference AS theirs
    FROM payouts p LEFT JOIN effects e ON e.key = p.effect_key AND e.taken_over"""
ANSWER_SECONDS_MAX = 60.0
TRIES = 4
"""Runs in which a point must be reached: what another thread does meanwhile may keep one away."""


class NotReachedError(AssertionError):
    """The process ended before it came to its point."""


@dataclass(kw_only=True)
class Prepared:
    """A world that is ready: its database, kept as it is, and the fakes that go with it."""

    world: World
    doors: Doors
    snapshot: Snapshot
    remembered: Fakes

    def points(self) -> list[Point]:
        """The points every run of this world passes, from runs in which nobody dies."""
        return common([self._passed(), self._passed()])

    def explore(self, fault: Fault) -> None:
        """Let `fault` happen; raises `AssertionError` where anything is amiss afterwards."""
        for _ in range(TRIES):
            here = self._anew()
            code, said = self._live(here, fault)
            assert code in {0, DIED}, said
            if code == 0 and not reached(fault, said):
                continue
            self._heal(here)
            judge(self.world, here)
            return
        raise NotReachedError(f"not reached in {TRIES} runs")

    def _anew(self) -> Scene:
        """The world as it was. The watch, which only looks, is left to its own world: it costs a third."""
        self.snapshot.restore()
        here = scene(self.doors, copy.deepcopy(self.remembered))
        left_out = {Watch.name} - {self.world.job}
        here.jobs = {name: job for name, job in here.jobs.items() if name not in left_out}
        return here

    def _passed(self) -> list[Point]:
        code, said = self._live(self._anew(), None)
        assert code == 0, said
        assert isinstance(said, list)
        return said

    def _heal(self, here: Scene) -> None:
        def passes() -> None:
            self.world.passes(here)

        run_to_quiet(here, here.owner, passes)
        if self._is_asked_again(here):
            self.world.act(here)
            run_to_quiet(here, here.owner, passes)

    def _is_asked_again(self, here: Scene) -> bool:
        """By an operator who was not told; or where no run came of it, by the next tick."""
        job = here.jobs.get(self.world.job)
        found = {row.state for row in rows(here.owner, RUNS, job=self.world.job)}
        return self.world.asks_again or (
            "succeeded" not in found if isinstance(job, Sweep) else not found
        )

    def _live(self, here: Scene, fault: Fault | None) -> tuple[int, object]:
        """Fork the process, answer its calls until it is gone with all its connections."""
        mine, its = Pipe()
        with warnings.catch_warnings():
            # What this process's other threads hold, the child never touches.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            mine.close()
            live(self.world, here.url, here.fakes, its, fault)
        its.close()
        try:
            said = _answer(mine, here.fakes, here.owner)
        except BaseException:  # it hangs, or asked what none may ask
            os.kill(pid, signal.SIGKILL)
            raise
        finally:
            mine.close()
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        # A commit on its way is executed, or not, by a server process that outlives its client.
        eventually(
            lambda: not rows(here.owner, CONNECTED, name=DYING), what="connections that are gone"
        )
        return code, said


def reached(fault: Fault, said: object) -> bool:
    """Whether a process that lived to its end passed the point of `fault`."""
    assert isinstance(said, list)
    return fault.point in map(str, said)


def _answer(line: Connection, fakes: Fakes, owner: Database) -> object:
    """Answer calls with the fakes; returns what was said at the end, None where it died."""
    try:
        while line.poll(ANSWER_SECONDS_MAX):
            said = line.recv()
            if not isinstance(said, tuple):
                return said
            line.send(_called(fakes, owner, *said))
    except (EOFError, ConnectionResetError, BrokenPipeError):
        return None
    raise AssertionError("the process hangs")


def _called(
    fakes: Fakes, owner: Database, port: str, method: str, given: tuple[Any, ...]
) -> object:
    for request in given:
        if isinstance(request, FrozenRequest):
            assert_durable(owner, request)
        if isinstance(request, FrozenCall):
            assert_written(owner, request)
    answer = getattr(getattr(fakes, port), method)(*given)
    return list(answer) if isinstance(answer, Iterator) else answer


def assert_written(owner: Database, request: FrozenCall) -> None:
    """Assert that a request to a payment gateway was committed, as it is sent, before it was."""
    found = rows(
        owner,
        "SELECT sends, CAST(request AS text) AS body FROM effects WHERE key = CAST(:key AS uuid)",
        key=request.key,
    )
    assert [(row.body, row.sends > 0) for row in found] == [(request.body, True)], request


def assert_durable(owner: Database, request: FrozenRequest) -> None:
    """Assert that a send was committed, as it is sent, before it reached the bank."""
    found = rows(
        owner,
        """SELECT e.state, e.sends, CAST(e.request AS text) AS body, p.state AS payout
           FROM effects e JOIN payouts p ON p.id = e.subject WHERE e.key = CAST(:key AS uuid)""",
        key=request.key,
    )
    assert [row.body for row in found] == [request.body], f"sent before it was written: {request}"
    assert (found[0].sends > 0, found[0].payout) == (True, "PROCESSING"), found


def judge(world: World, here: Scene) -> None:
    """Assert every promise of the audit, that nothing is held or parked, what the bank did, and the world's own."""
    assert broken(here.url) == []
    held = rows(
        here.owner,
        """SELECT job, CAST(subject AS text) AS subject, parked_reason FROM work
           WHERE token IS NOT NULL OR parked_reason IS NOT NULL AND NOT :parks
           UNION ALL SELECT 'lease', name, NULL FROM leases
           WHERE name LIKE 'run:%' OR leased_until > clock_timestamp()
           UNION ALL SELECT job, CAST(id AS text), state FROM runs WHERE state = 'running'""",
        parks=world.parks,
    )
    assert held == []
    assert_bank(here)
    world.check(here)


def assert_bank(here: Scene) -> None:
    """Assert that the bank paid each reference at most once, what is COMPLETED once, and nothing else."""
    paid = [one.payout.reference or "" for one in here.bank.transfers]
    assert len(paid) == len(set(paid))
    known = set()
    for row in rows(here.owner, PAYOUTS):
        names = [reference(row.id, n) for n in range(1, row.generation)]
        names.append(row.theirs or reference(row.id, row.generation))
        known.update(names)
        if row.state in {"COMPLETED", "REVERSED"}:
            assert names[-1] in paid, f"{row.id} is {row.state}, and the bank never paid it"
    assert set(paid) <= known, set(paid) - known


@contextmanager
def prepared(world: World, databases: Databases, lender: Lender) -> Iterator[Prepared]:
    """`world` on a database of its own, ready to be lived in again and again."""
    with ExitStack() as stack:
        name = stack.enter_context(lender.lend())
        opened = stack.enter_context(doors(databases.url(name)))
        fakes = world.fakes()
        world.prepare(scene(opened, fakes))
        snapshot = stack.enter_context(closing(Snapshot(databases.superuser_url(name))))
        yield Prepared(world=world, doors=opened, snapshot=snapshot, remembered=fakes)
