"""EXPLAIN guards: a claim, a settle and all between cost the same however much waits or is over."""

from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from db import audit, effect_listing, hearing, wakes, work
from db.audit.outside import PAYMENTS_ARE_NAMED_ONCE
from db.payouts import listing, recovering
from db.payouts.family import PAYOUTS
from db.work import ClaimOrder
from domain.effects import EffectState
from domain.payouts import FOLLOW
from jobs.catalog import ALL
from jobs.webhooks.apply import ApplyEvents
from tests.builders import House, house, owner, seed
from tests.fakes.bank import FakeBank
from tests.hearing import event, receive
from tests.plans.explaining import Plans, explained
from tests.plans.load import LOAD
from tests.servers import Databases

SET = 200
BIG = {"work", "payouts", "effects", "effect_payments", "runs", "entries", "inbox"}
"""Tables that grow with what waits or with history; their partitions besides."""
HISTORY = ("moves_", "postings_", "effect_answers_", "run_attempts_")

HOT = {
    "wake": ("INSERT INTO runs (job, queue, version, origin, wake_key)", 15 * len(ALL)),
    "start": ("UPDATE runs r SET state = 'running'", 200),
    "overdue": ("r.state = 'queued' AND r.due_at <=", 100),
    "claim": ("SET token = token.token", 30 * SET),
    "details": ("AS is_sealed", 30 * SET),
    "debts": ("a.kind = 'payee_receivable' AND a.owner", 10 * SET),
    "move": ("INSERT INTO moves", 30 * SET),
    "intend": ("INSERT INTO effects (key", 30 * SET),
    "post": ("INSERT INTO postings", 40 * SET),
    "regain": ("ORDER BY w.subject, w.job FOR UPDATE OF w", 15 * SET),
    "answered": ("INSERT INTO effect_answers", 30 * SET),
    "settle": ("DELETE FROM work w USING next", 40 * SET),
    "renew": ("FOR UPDATE OF w SKIP LOCKED", 100),
    "end": ("UPDATE run_attempts a SET ended_at", 200),
    "silent-skip guard": ("min(due_at) AS oldest", 100),
    "audit of effects": ("is kept under", 30 * SET),
    "audit of payouts": ("its last move led to", 30 * SET),
    "last heard": ("AS is_expected", 20),
    "paid of late": ("WITH latest AS", 8 * SET),
    "read events": ("SELECT id, provider, type, body, created_at", 20 * SET),
    "find what events mean": ("AS w (provider, name, reference, payout, generation, n)", 40 * SET),
    "hold": ("AS is_leased FROM work", 15 * SET),
    "recall": ("FROM token, unnest", 30 * SET),
    "mark events": ("UPDATE inbox s SET state", 40 * SET),
    "page of payouts": ("AS amount_minor, p.currency", 10 * SET),
    "page of effects": ("Walked by subject", 20 * SET),
}
"""A piece of each hot statement, and the pages that a set of 200 (to wake: every job) may touch."""


FAR_IN = f"{40_000:031x}"
"""Where a page begins that has most of history before it."""


class UndoneError(Exception):
    """A part was tried, and is undone."""


def drained(url: str, bank: FakeBank, first: int = 0) -> Plans:
    """Bring in one set of payouts, let the product work it off, and return how it did."""
    seed(url, SET, payees=20, first=first)
    with house(url, bank, batch_max=SET) as home, explained(home.database) as plans:
        with home.database.begin() as tx:
            woken = wakes.wake(tx, home.runner.known)
            wakes.overdue(tx, home.runner.known, seconds=0, limit=50)
            work.renew(tx, [], [("run:0", 0)], 15)
            with suppress(UndoneError), tx.savepoint():
                work.recall(tx, FOLLOW, [uuid4() for _ in range(SET)], run=0)
                raise UndoneError
            audit.look(
                tx, PAYMENTS_ARE_NAMED_ONCE, after=f"b{FAR_IN}", page=SET, most=1, deep=False
            )
            [history] = [p for p in PAYOUTS.promises if p.name == "last-move-is-the-state"]
            audit.look(tx, history, after=f"a{FAR_IN}", page=SET, most=1, deep=False)
            recovering.debts(tx, [UUID(f"a{n:031x}") for n in range(40_000, 40_000 + SET)])
            hearing.heard(tx)
            hearing.paid_of_late(tx)
            for state in (None, *EffectState):
                far_in = UUID(f"b{10_000:031x}")
                effect_listing.listing(tx, state=state, after=far_in, limit=SET)
            listing.listing(tx, listing.Page(after=UUID(f"a{10_000:031x}"), limit=SET))
        assert home.runner.execute(woken[0][0])
        assert home.row(woken[0][0]).tally["succeeded"] == SET
        for word in ("failed", "processed"):
            _told(home, url, word)
    return plans


def _told(home: House, url: str, word: str) -> None:
    """The bank tells `word` of each payout of the set, and the product applies it."""
    mine = {s.reference for s in home.bank.submits[-SET:]}
    with owner(url) as database:
        receive(
            database,
            [event(t.payout, word) for t in home.bank.transfers if t.payout.reference in mine],
        )
    order = ClaimOrder(run=7, limit=SET, lease_seconds=15.0)
    assert home.database.transact(lambda tx: ApplyEvents().work(tx, order)).taken == SET


@pytest.fixture(scope="module")
def plans(databases: Databases, template: str, addresses: object) -> Iterator[dict[str, Plans]]:
    """The plans with statistics that were never gathered, and with fresh ones."""
    with databases.database(template) as name:
        url = databases.url(name)
        admin = sa.make_url(addresses.admin_url).set(database=name)  # type: ignore[attr-defined]  # an Addresses
        engine = sa.create_engine(admin, poolclass=sa.pool.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in LOAD:
                connection.exec_driver_sql(statement)
            bank = FakeBank()
            never = drained(url, bank)
            connection.exec_driver_sql("ANALYZE")
        yield {"never": never, "fresh": drained(url, bank, first=SET)}


@pytest.mark.parametrize("statistics", ["never", "fresh"])
@pytest.mark.parametrize("what", list(HOT))
def test_a_hot_statement_reads_by_index_and_touches_few_pages(
    plans: dict[str, Plans], statistics: str, what: str
) -> None:
    """1,000,000 later, 100,000 parked and 2,000 leased rows in front are never visited."""
    piece, blocks_max = HOT[what]
    found = plans[statistics].of(piece)
    assert found, "the statement was not executed"
    for plan in found:
        scanned = {t for t in plan.scanned if t in BIG or t.startswith(HISTORY)}
        assert scanned == set(), plan.statement
        assert plan.blocks <= blocks_max
        assert plan.removed <= 2 * SET
