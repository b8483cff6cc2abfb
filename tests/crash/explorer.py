"""Kill a process at one point of what it does, let a healthy one run to quiet, and look at everything.

The world is prepared once and its database copied for each death; the one that dies is forked from
this process, whose fakes answer its outside calls and so outlive it.
"""

import copy
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import sqlalchemy as sa

from db import audit
from db.engine import Database
from domain.payout_ids import reference
from domain.ports import FrozenRequest
from tests.builders import rows
from tests.crash.child import DIED, live
from tests.crash.points import Fault, Point, common
from tests.kit.quiet import run_to_quiet
from tests.kit.world import Fakes, Scene, World, scene
from tests.servers import Databases
from tests.waiting import eventually

ANSWER_SECONDS_MAX = 60.0
TRIES = 4
"""Runs in which a point must be reached: what another thread does meanwhile may keep one away."""


class NotReachedError(AssertionError):
    """The process ended before it came to its point."""


@dataclass(kw_only=True)
class Prepared:
    """A world that is ready: a database to copy, and the fakes that go with it."""

    world: World
    databases: Databases
    database: str
    remembered: Fakes

    def points(self) -> list[Point]:
        """The points every run of this world passes, from runs in which nobody dies."""
        return common([self._passed(), self._passed()])

    def explore(self, fault: Fault) -> None:
        """Let `fault` happen; raises `AssertionError` where anything is amiss afterwards."""
        for _ in range(TRIES):
            with self._copy() as (url, fakes):
                code, said = self._live(url, fakes, fault)
                if code == 0 and fault.how.name.startswith("DIE"):
                    continue
                assert code in {0, DIED}, said
                with scene(url, fakes) as here:
                    self._heal(here)
                    judge(self.world, here)
            return
        raise NotReachedError(f"not reached in {TRIES} runs")

    def _heal(self, here: Scene) -> None:
        def passes() -> None:
            self.world.passes(here)

        run_to_quiet(here, here.owner, passes)
        asked = rows(here.owner, "SELECT FROM runs WHERE job = :job", job=self.world.job)
        if self.world.asks_again or not asked:
            self.world.act(here)
            run_to_quiet(here, here.owner, passes)

    def _passed(self) -> list[Point]:
        with self._copy() as (url, fakes):
            code, said = self._live(url, fakes, None)
            assert code == 0, said
            assert isinstance(said, list)
            return said

    @contextmanager
    def _copy(self) -> Iterator[tuple[str, Fakes]]:
        with self.databases.database(self.database) as name:
            yield self.databases.url(name), copy.deepcopy(self.remembered)

    def _live(self, url: str, fakes: Fakes, fault: Fault | None) -> tuple[int, object]:
        """Fork the process, answer its calls until it is gone with all its connections."""
        here, there = Pipe()
        with warnings.catch_warnings():
            # Its other threads wait for what the child never touches.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            here.close()
            live(self.world, url, fakes, there, fault)
        there.close()
        with scene(url, fakes) as observer:
            said = _answer(here, fakes, observer.owner)
        here.close()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self._wait_until_alone(url)
        return code, said

    def _wait_until_alone(self, url: str) -> None:
        """A commit on its way is executed, or not, by a server process that outlives its client."""
        name = sa.make_url(url).database or ""
        eventually(lambda: self.databases.connections(name) == 0, what="connections that are gone")


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
    return getattr(getattr(fakes, port), method)(*given)


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
    broken = [(r.name, r.offences[:3]) for r in audit.run(here.owner) if not r.holds]
    assert broken == [], broken
    held = rows(
        here.owner,
        """SELECT job, CAST(subject AS text) AS subject, parked_reason FROM work
           WHERE token IS NOT NULL OR parked_reason IS NOT NULL
           UNION ALL SELECT 'lease', name, NULL FROM leases
           UNION ALL SELECT job, CAST(id AS text), state FROM runs WHERE state = 'running'""",
    )
    assert held == [], held
    assert_bank(here)
    world.check(here)


def assert_bank(here: Scene) -> None:
    """Assert that the bank paid each reference at most once, what is COMPLETED once, and nothing else."""
    paid = [one.payout.reference or "" for one in here.bank.transfers]
    assert len(paid) == len(set(paid)), paid
    known = set()
    for row in rows(here.owner, "SELECT id, state, generation FROM payouts"):
        names = [reference(row.id, n) for n in range(1, row.generation + 1)]
        known.update(names)
        if row.state in {"COMPLETED", "REVERSED"}:
            assert names[-1] in paid, f"{row.id} is {row.state}, and the bank never paid it"
    assert set(paid) <= known, set(paid) - known


@contextmanager
def prepared(world: World, databases: Databases, template: str) -> Iterator[Prepared]:
    """`world` on a database of its own, ready to be copied."""
    with databases.database(template) as name:
        fakes = world.fakes()
        with scene(databases.url(name), fakes) as here:
            world.prepare(here)
        yield Prepared(
            world=world, databases=databases, database=name, remembered=copy.deepcopy(fakes)
        )
