"""An installation whose processes are to suffer: its servers, its bank, and whoever works in it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psutil

from db import installation
from db.engine import Database
from db.tx import Row
from domain.payout_ids import reference
from jobs.catalog import rows as catalog
from tests.builders import assert_sound, change, owner, payout, rows, seed
from tests.fakes.sandbox import RunningSandbox
from tests.faults.child import SUPERVISE
from tests.faults.nursery import ROOT, Born, Nursery
from tests.faults.recorder import Recorder, Sent
from tests.operating import release
from tests.servers import kill_all
from tests.waiting import eventually

READY_SECONDS_MAX = 180.0
LEASE_SECONDS = 4.5
TIMES = {
    "BURSAR_LEASE_SECONDS": f"{LEASE_SECONDS}",
    "BURSAR_GATEWAY_TIMEOUT_SECONDS": "1",
    "BURSAR_RECOVER_SECONDS": "0.5,1,2",
    "BURSAR_CONCURRENCY": "4",
}
"""As short as they may be together."""

LAPSE = """UPDATE {table} SET leased_until = clock_timestamp() WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM {table} WHERE leased_until > clock_timestamp() FOR UPDATE SKIP LOCKED))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """One process, and the file it writes its log to."""

    process: subprocess.Popen[bytes] | Born
    log: Path

    def ready(self, times: int = 1) -> "Working":
        """Wait until it takes runs; a supervisor's, until `times` of its children do."""
        eventually(
            lambda: self.said("worker.ready") >= times or self.process.poll() is not None,
            READY_SECONDS_MAX,
            "a worker that is ready",
        )
        assert self.process.poll() is None, self.log.read_text()
        return self

    def said(self, words: str) -> int:
        """How often its log has these words."""
        return self.log.read_text().count(words)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def stopped(self) -> None:
        """Wait until it is frozen."""
        eventually(
            lambda: psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED,
            READY_SECONDS_MAX,
            "a frozen process",
        )

    def ended(self, seconds: float = READY_SECONDS_MAX) -> int:
        """Wait for its end; returns its exit code, negative for a signal."""
        return self.process.wait(seconds)


@dataclass(kw_only=True)
class House:
    """An installation on a database of its own."""

    database_url: str
    broker_url: str
    folder: Path
    bank: RunningSandbox
    recorder: Recorder
    database: Database
    nursery: Nursery
    bank_url: str
    """Where the bank is for its processes."""
    started: list[Working] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What every process here is told."""
        ours = {name: v for name, v in os.environ.items() if not name.startswith("BURSAR_")}
        settings = self.bank.settings
        return ours | {
            "BURSAR_DATABASE_URL": self.database_url,
            "BURSAR_BROKER_URL": self.broker_url,
            "BURSAR_PAYOUT_PROVIDER": "razorpayx",
            "BURSAR_RAZORPAYX_URL": self.bank_url,
            "BURSAR_RAZORPAYX_KEY_ID": settings.key_id,
            "BURSAR_RAZORPAYX_KEY_SECRET": settings.key_secret,
            "BURSAR_RAZORPAYX_ACCOUNT_NUMBER": settings.account_number,
            **TIMES,
        }

    def start(
        self, *strikes: str, command: Sequence[str] = ("worker",), **settings: str
    ) -> Working:
        """Start a process, a worker unless told otherwise, that strikes may be waiting for."""
        log = self._log()
        words = [*strikes, "--", *command]
        process = self.nursery.start(words, self.environment | settings, log)
        return self._note(Working(process=process, log=log))

    def bursar(self, *command: str, **settings: str) -> Working:
        """Start a command that ends."""
        return self.start(command=command, **settings)

    def supervise(self, *strikes: str, copies: int = 2) -> Working:
        """Start workers under a supervisor: the product's own command, where no strike is wanted."""
        if strikes:
            words = ["tests.faults.child", SUPERVISE, str(copies), *strikes, "--", "worker"]
        else:
            words = ["workers.cli", "worker", "--processes", str(copies)]
        log = self._log()
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        return self._note(Working(process=process, log=log))

    def _log(self) -> Path:
        log = self.folder / f"process-{len(self.started)}.log"
        log.touch()
        return log

    def _note(self, working: Working) -> Working:
        self.started.append(working)
        return working

    def close(self) -> None:
        """Let no process outlive the test, frozen ones included."""
        for working in self.started:
            if working.process.poll() is None:
                family = psutil.Process(working.process.pid).children(recursive=True)
                working.process.kill()
                kill_all(family)
                working.process.wait(READY_SECONDS_MAX)
                psutil.wait_procs(family, timeout=READY_SECONDS_MAX)

    def seed(self, count: int = 1, *, first: int = 0, approve: bool = True) -> list[UUID]:
        """Import payouts, approved and due unless told otherwise; returns all there are, oldest first."""
        return seed(self.database_url, count, first=first, approve=approve)

    def payout(self, id_: UUID) -> Row:
        """One payout with its work and its effect."""
        return payout(self.database, id_)

    def lapse(self) -> None:
        """Let every lease end, as time would; what a frozen transaction holds is let go by the server first."""

        def ended() -> bool:
            for table in ("work", "leases"):
                change(self.database, LAPSE.format(table=table))
            held = "SELECT FROM work WHERE leased_until > clock_timestamp()"
            return not rows(self.database, held)

        eventually(ended, what="leases that ended")

    def count(self, effects: str) -> int:
        """How many effects are in this state."""
        [row] = rows(
            self.database, "SELECT count(*) AS n FROM effects WHERE state = :state", state=effects
        )
        return int(row.n)

    def accepted(self, count: int, seconds: float = 240.0) -> None:
        """Wait until the bank has, and we know that it has, `count` payouts."""
        eventually(
            lambda: self.count("accepted") == count, seconds, f"{count} payouts accepted: {self}"
        )

    def sent(self, id_: UUID) -> list[Sent]:
        """Every request for this payout that came to the bank's door."""
        name = reference(id_, 1).encode()
        return [one for one in self.recorder.sent if name in one.body]

    def assert_each_paid_once(self, count: int) -> None:
        """End everything; then the bank has `count` transfers, one a reference, and our books agree."""
        self.close()
        told = self.bank.summary()
        assert (told["transfers"], told["doubled"]) == (count, []), told
        assert self.count("accepted") == count
        assert_sound(self.database)

    def __str__(self) -> str:
        effects = rows(self.database, "SELECT state, count(*) AS n FROM effects GROUP BY 1")
        waits = rows(
            self.database,
            """SELECT job, count(*) AS n, min(leased_until) AS leased, max(last_error) AS error
               FROM work GROUP BY 1""",
        )
        logs = [working.log.read_text()[-1500:] for working in self.started]
        return "\n".join([str(effects), str(waits), *logs])


@contextmanager
def house(
    database_url: str,
    broker_url: str,
    folder: Path,
    bank: RunningSandbox,
    recorder: Recorder,
    nursery: Nursery,
    bank_url: str | None = None,
) -> Iterator[House]:
    """An installation bound to the bank, with nobody at work yet."""
    release(database_url, catalog())
    with owner(database_url) as database:
        with database.begin() as tx:
            installation.bind(tx, "razorpayx", bank.settings.account_number)
        made = House(
            database_url=database_url,
            broker_url=broker_url,
            folder=folder,
            bank=bank,
            recorder=recorder,
            database=database,
            nursery=nursery,
            bank_url=bank_url or bank.url,
        )
        try:
            yield made
        finally:
            made.close()
