"""The demo from a fresh home to its verdict: import, processes, one SIGKILL, drained, judged."""

import secrets
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from db import audit, installation, operators
from db.engine import Database
from db.payouts import imports, progress
from domain.errors import ExpectedError
from domain.payout_lines import payout_records
from domain.payout_rules import RAZORPAYX
from domain.payouts import PayoutState
from workers.banks import open_bank
from workers.databases import open_database
from workers.demo.look import Look, look
from workers.demo.verdict import Ours, Promise, audited, promises, unforged
from workers.demo.view import View
from workers.files import read_file
from workers.logs import configure
from workers.practice import count
from workers.servers import SandboxPlan
from workers.signals import survive_stop
from workers.supervisor import Output, Supervisor
from workers.supervisor.child import Child
from workers.up import WORKER, Site, programs, site

FAULTS: Final = "drop=0.03,error=0.01,refuse=0.02,event_twice=0.02,event_forged=0.02"
"""3 % of replies lost after the bank paid, 1 % server errors after it paid, 2 % refusals; of its
webhooks 2 % come twice, and beside 2 % a forger tells the opposite."""
RATE_PER_SECOND: Final = 400.0
OPERATORS: Final = ("asha", "ravi")
KILL_AT_SHARE: Final = 0.25
LOOK_SECONDS: Final = 0.5
IMPORT_SECONDS_MAX: Final = 120.0
ENVIRONMENT: Final = {
    "BURSAR_RECOVER_SECONDS": "1,2,4",
    "BURSAR_LOG_FORMAT": "json",
    "BURSAR_GATEWAY_RATE_PER_SECOND": f"{RATE_PER_SECOND / 2:g}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be shown."""

    home: Path
    file: Path
    seed: int
    seconds_max: float
    workers: int = 2


@dataclass(slots=True, kw_only=True)
class Result:
    """How it ended."""

    states: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Count and sum (minor units) by state."""
    promises: list[Promise] = field(default_factory=list)
    transfers: int = 0
    sends: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    """What the bank did to its replies, by name, as it counted itself."""
    sent_again: int = 0
    """Payments the bank was asked for more than once, under the same key."""
    crashed_runs: int = 0
    killed: str | None = None
    seconds: float = 0.0
    drained: bool = False
    stopped: bool = False
    operators: Mapping[str, str] = field(default_factory=dict)
    """Tokens by name: two people, for what needs two."""
    gave_up: bool = False
    """A process could not be kept running."""

    @property
    def holds(self) -> bool:
        """Whether everything that was promised holds."""
        return self.drained and bool(self.promises) and all(p.holds for p in self.promises)


def run(environ: Mapping[str, str], plan: Plan) -> Result:
    """Run the whole demo in `plan.home`; every process and server of it has ended afterwards."""
    wanted = SandboxPlan.make(0, faults=FAULTS, seed=plan.seed, rate_per_second_max=RATE_PER_SECOND)
    told = {**environ, **ENVIRONMENT}
    result = Result()
    with ExitStack() as stack:
        made = stack.enter_context(site(told, plan.home, wanted))
        database = open_database(
            made.settings,
            made.addresses,
            role="bursar_operator",
            application="bursar demo",
            pool_max=2,
        )
        stack.callback(database.dispose)
        result.operators = _make_operators(database)
        total = _import(database, plan.file)
        view = stack.enter_context(View(total))
        view.say(f"{total} payouts of {plan.file.name} imported and approved; home {plan.home}")
        log = stack.enter_context((plan.home / "processes.log").open("w", encoding="utf-8"))
        configure(made.settings, log)
        house = Supervisor(programs(made, told, worker_copies=plan.workers), Output(log))
        show = _Show(made, database, view, house, result, plan.seconds_max)
        house.run(until=show.step)
        survive_stop()
        result.stopped, result.gave_up = house.asked_to_stop, house.given_up()
    return result


def _make_operators(database: Database) -> dict[str, str]:
    tokens = {name: secrets.token_urlsafe(24) for name in OPERATORS}
    with database.begin() as tx:
        for name, token in tokens.items():
            operators.add(tx, name, token, by="demo")
    return tokens


def _import(database: Database, file: Path) -> int:
    lines = read_file(file, payout_records(lambda: RAZORPAYX)).whole().lines
    with database.begin(IMPORT_SECONDS_MAX) as tx:
        order = imports.Lines(lines=lines, file=file.name, approve=True)
        done = imports.take_over(
            tx, installation.get(tx).id, order, actor=f"operator:{OPERATORS[0]}"
        )
    return done.created


class _Show:
    """Called again and again while the processes run; says when it is over."""

    def __init__(
        self,
        made: Site,
        database: Database,
        view: View,
        house: Supervisor,
        result: Result,
        seconds_max: float,
    ) -> None:
        self._made, self._database, self._view = made, database, view
        self._house, self._result = house, result
        self._started = time.monotonic()
        self._deadline = self._started + seconds_max
        self._next = 0.0

    def step(self) -> bool:
        """Look, show, kill a worker when it is time; True when drained and judged, or too late."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + LOOK_SECONDS
        try:
            seen = look(self._database, self._bank())
        except ExpectedError as error:
            self._view.say(f"no look: {error}")
            return now > self._deadline
        self._view.show(seen, last=seen.drained)
        self._kill_one(seen)
        self._result.seconds = round(now - self._started, 1)
        if seen.drained:
            self._judge()
            return True
        return now > self._deadline

    def _kill_one(self, seen: Look) -> None:
        if self._result.killed or seen.done < KILL_AT_SHARE * sum(seen.states.values()):
            return
        victim = _first_worker(self._house)
        if victim is not None:
            self._view.say(
                f"SIGKILL for {victim.name} (pid {victim.pid}), in the middle of its work"
            )
            self._result.killed = victim.name
            victim.kill()

    def _judge(self) -> None:
        result = self._result
        with self._database.begin() as tx:
            result.states = {r.state: (r.items, r.amount_minor) for r in progress.by_state(tx)}
            ours = [_ours(row) for row in progress.sent(tx)]
            books = {r.kind: (r.debits, r.credits) for r in progress.books(tx)}
            result.crashed_runs = progress.crashed_runs(tx)
        now = datetime.now(UTC)
        with open_bank(self._made.settings) as bank:
            if bank is None:
                raise AssertionError("the demo has a bank")
            theirs = list(
                bank.payouts_between(now - timedelta(hours=1), now + timedelta(seconds=5))
            )
        counted = count(self._bank())
        result.transfers, result.sends = counted.transfers, counted.sends
        result.sent_again, result.faults = counted.sent_again, counted.faults
        result.promises = [
            *promises(ours, theirs, books),
            unforged(counted),
            audited(audit.run(self._database)),
        ]
        result.drained = True

    def _bank(self) -> SandboxPlan:
        if self._made.sandbox is None:
            raise AssertionError("the demo runs on its own bank")
        return self._made.sandbox


def _first_worker(house: Supervisor) -> Child | None:
    running = (c for c in house.children if c.program.name == WORKER and c.running)
    return next(running, None)


def _ours(row: object) -> Ours:
    return Ours(
        id=row.id,  # type: ignore[attr-defined]  # a row of `progress.sent`
        state=PayoutState(row.state),  # type: ignore[attr-defined]  # the same
        amount_minor=row.amount,  # type: ignore[attr-defined]  # the same
        generation=row.generation,  # type: ignore[attr-defined]  # the same
    )
