"""Build what the core's tests need: payouts ready to be sent, a runner on real Postgres, a look at the result."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from db import engine, runs
from db.engine import Database, DatabaseOptions
from db.runs import Request
from db.tx import Row
from db.work import ClaimOrder
from domain.errors import UnreachableError
from domain.payout_ids import reference
from domain.payout_lines import PayoutLine
from domain.payouts import PROCESS
from domain.runs import Origin, RunState
from jobs.catalog import Ports, build
from jobs.payouts.process import ProcessPayouts
from jobs.shapes import Job
from tests.fakes.bank import FakeBank
from tests.kit.judging import broken
from tests.links import LINKS
from tests.operating import opened, take
from workers.runner.bounds import Bounds
from workers.runner.execute import Runner
from workers.tracing import OFF, Span

RECOVER_SECONDS = (1.0, 2.0, 4.0)
Pooler = Literal["none", "transaction"]
WAITS_FOR_A_LOCK = (
    "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


def lines(count: int, *, payees: int = 20, first: int = 0) -> list[PayoutLine]:
    """Lines of `count` payouts, each of another amount."""
    return [
        PayoutLine(
            external_id=f"P-{n}",
            payee=f"payee {n % payees}",
            fund_account_id=f"fa_{n % payees}",
            amount_minor=10_000 + n,
            currency="INR",
            mode=None,
            purpose="payout",
            narration="Week 1",
        )
        for n in range(first, first + count)
    ]


def seed(
    url: str, count: int, *, approve: bool = True, payees: int = 20, first: int = 0
) -> list[UUID]:
    """Import payouts, approved and due at once unless told otherwise; returns their ids, oldest due first."""
    with opened(url) as operator:
        take(operator, lines(count, payees=payees, first=first), approve=approve)
    with owner(url) as database, database.begin() as tx:
        rows = tx.rows(
            sa.text("""SELECT p.id FROM payouts p LEFT JOIN work w ON w.subject = p.id
                       ORDER BY w.due_at, p.id""")
        )
    return [row.id for row in rows]


@contextmanager
def owner(url: str) -> Iterator[Database]:
    """The database as its owner, who may do what no process may."""
    options = DatabaseOptions(url=url, role=None, pool_max=2, application="test owner")
    with LINKS.opened(options) as database:
        yield database


@contextmanager
def worker(url: str, *, pool_max: int = 6, pooler: Pooler = "none") -> Iterator[Database]:
    """The database as a worker process uses it."""
    options = DatabaseOptions(url=url, pool_max=pool_max, pooler=pooler, application="test worker")
    with LINKS.opened(options) as database:
        yield database


@contextmanager
def patient_worker(url: str, *, pool_max: int = 6) -> Iterator[Database]:
    """The same where many meet on one row: nobody gives up its lock because this machine is busy."""
    options = DatabaseOptions(url=url, pool_max=pool_max, application="test patient worker")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "LOCK_SECONDS", 60.0)
        patch.setattr(engine, "STATEMENT_SECONDS", 60.0)
        with LINKS.opened(options) as database:
            patch.undo()
            yield database


def rows(database: Database, statement: str, **parameters: object) -> Sequence[Row]:
    """Run one statement in a transaction of its own and return its rows."""
    with database.begin() as tx:
        return tx.rows(sa.text(statement), **parameters)


def change(database: Database, statement: str, **parameters: object) -> int:
    """Run one statement without rows in a transaction of its own."""
    with database.begin() as tx:
        return tx.run(sa.text(statement), **parameters)


def add_work(
    database: Database, job: str, count: int, due: str = "clock_timestamp()"
) -> list[UUID]:
    """Insert work rows of no particular subjects, `due` in SQL (n counts from 1); oldest first."""
    statement = """INSERT INTO work (job, subject, due_at)
        SELECT :job, gen_random_uuid(), DUE FROM generate_series(1, :count) n
        RETURNING subject, due_at"""
    made = rows(
        database,
        statement.replace("DUE", due),
        job=job,
        count=count,
    )
    return [row.subject for row in sorted(made, key=lambda row: (row.due_at, row.subject))]


def abandon(house: "House", *, sent: bool = True, job: str = PROCESS) -> list[UUID]:
    """Claim what is due for a send by `job`, send it, and die: nothing is settled, and the leases lapse."""
    sender = house.jobs[job]
    assert isinstance(sender, ProcessPayouts)
    with house.database.begin() as tx:
        items = sender.claim(tx, ClaimOrder(run=0, limit=1000, lease_seconds=0.001)).items
    for item in items if sent else []:
        house.bank.submit(item.request)
    return [item.subject for item in items]


def expire(database: Database) -> int:
    """Let every lease on work lapse, as time would."""
    return change(
        database,
        "UPDATE work SET leased_until = clock_timestamp() WHERE leased_until IS NOT NULL",
    )


def hurry(database: Database, job: str | None = None) -> int:
    """Make every waiting row (of `job`) due now, as time would."""
    return change(
        database,
        """UPDATE work SET due_at = clock_timestamp() WHERE leased_until IS NULL
             AND parked_reason IS NULL AND (CAST(:job AS text) IS NULL OR job = :job)""",
        job=job,
    )


def states(database: Database) -> dict[str, int]:
    """Payouts by state."""
    return {
        r.state: r.n for r in rows(database, "SELECT state, count(*) AS n FROM payouts GROUP BY 1")
    }


def payout(database: Database, id_: UUID) -> Row:
    """One payout with its work row and its newest effect (columns prefixed w_ and e_)."""
    [row] = rows(
        database,
        """SELECT p.*, w.job AS w_job, w.tries AS w_tries, w.claims AS w_claims, w.token AS w_token,
                  w.parked_reason AS w_parked, w.last_error AS w_error,
                  extract(epoch FROM NULLIF(w.due_at, 'infinity') - clock_timestamp()) AS w_wait,
                  e.state AS e_state, e.sends AS e_sends, e.put_backs AS e_put_backs,
                  e.provider_id AS e_provider_id, e.status AS e_status, CAST(e.request AS text) AS e_request
           FROM payouts p LEFT JOIN work w ON w.subject = p.id LEFT JOIN effects e ON e.key = p.effect_key
           WHERE p.id = :id""",
        id=id_,
    )
    return row


def assert_sound(database: Database) -> None:
    """Assert every invariant that the audit knows: states, work, effects, entries, balances, totals, tax."""
    found = broken(database.options.url)
    assert found == [], found


def assert_paid_once(bank: FakeBank, payouts: Sequence[UUID]) -> None:
    """Assert that the bank has exactly one transfer for each payout, and no other."""
    paid = sorted(one.payout.reference or "" for one in bank.transfers)
    assert paid == sorted(reference(p, 1) for p in payouts), paid


@dataclass(kw_only=True)
class House:
    """A database, a bank and a runner: all between them is the product's own."""

    database: Database
    bank: FakeBank
    jobs: Mapping[str, Job]
    bounds: Bounds
    stop: threading.Event = field(default_factory=threading.Event)
    worker: str = field(default_factory=lambda: f"test:{uuid4().hex[:6]}")
    rung: list[tuple[int, str]] = field(default_factory=list)
    tracing: Span = OFF

    @property
    def runner(self) -> Runner:
        """A runner as a process has one."""
        return Runner(
            database=self.database,
            jobs=self.jobs,
            bounds=self.bounds,
            worker=self.worker,
            ring=self.rung.extend,
            stop=self.stop,
            tracing=self.tracing,
        )

    def request(self, job: str, **scope: object) -> int:
        """Put a run of `job` on record."""
        known = self.jobs[job]
        request = Request(
            job=job,
            queue=known.queue.value,
            version=known.version,
            origin=Origin.OPERATOR,
            scope=scope,
        )
        with self.database.begin() as tx:
            return runs.enqueue(tx, [request])[0].id

    def run(self, job: str, **scope: object) -> Row:
        """Execute one run of `job` here and now; returns its row."""
        id_ = self.request(job, **scope)
        assert self.runner.execute(id_) is not None
        return self.row(id_)

    def in_background(self, job: str) -> "Background":
        """Execute one run of `job` on a thread."""
        return Background(self, self.request(job))

    def row(self, run: int) -> Row:
        """A run as it stands."""
        return rows(self.database, "SELECT * FROM runs WHERE id = :id", id=run)[0]


class Background:
    """A run on a thread of its own."""

    def __init__(self, house: House, run: int) -> None:
        self.house, self.run, self.state = house, run, RunState.QUEUED
        self._thread = threading.Thread(target=self._execute, name="run", daemon=True)
        self._thread.start()

    def _execute(self) -> None:
        with suppress(UnreachableError):  # as a worker process does; the sweep finds the run again
            self.state = self.house.runner.execute(self.run) or RunState.SKIPPED

    def end(self, seconds: float = 60.0) -> Row:
        """Wait for its end; returns its row."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the run did not end"
        return self.house.row(self.run)

    @property
    def is_running(self) -> bool:
        """Whether it still runs."""
        return self._thread.is_alive()


@contextmanager
def house(
    url: str,
    bank: FakeBank | None = None,
    *,
    jobs: Mapping[str, Job] | None = None,
    pool_max: int = 6,
    pooler: Pooler = "none",
    **bounds: float,
) -> Iterator[House]:
    """A process's worth of the product around `bank`; `bounds` by name."""
    bank = bank or FakeBank()
    limits = Bounds(**({"budget_seconds": 60.0, "concurrency": 4} | bounds))  # type: ignore[arg-type]  # by name
    built = build(
        Ports(bank=bank, call_seconds_max=limits.call_seconds_max, recover_seconds=RECOVER_SECONDS)
    )
    with worker(url, pool_max=pool_max, pooler=pooler) as database:
        yield House(
            database=database, bank=bank, jobs=built if jobs is None else jobs, bounds=limits
        )
