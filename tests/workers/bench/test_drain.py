"""Drains, small: everything is sent once, and a run after which that is not so is no result."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from db.bench import copies, proof
from domain.errors import BrokenError
from tests.workers.bench.spoiling import spoil
from workers.bench.child import Orders
from workers.bench.crew import Crew, crew
from workers.bench.drain import Drain, drain
from workers.bench.limit import limit_per_second
from workers.bench.stand import Stand, opened, seed


def test_a_drain_sends_every_payout_once_with_the_products_own_parts(own_stand: Stand) -> None:
    plan = Drain(items=120, processes=2, batch=20)

    done = drain(own_stand, plan)

    assert done.items == 120
    assert done.runs >= 1
    assert done.per_second > 0
    assert done.workers_cpu_seconds > 0
    assert done.postgres_cpu_seconds >= 0
    assert done.megabytes > 10
    assert plan.ideal_per_second is None


def test_a_slow_gateway_is_called_no_wider_than_was_said(own_stand: Stand) -> None:
    plan = Drain(items=40, processes=1, gateway_seconds=0.02, concurrency=4)

    done = drain(own_stand, plan)

    assert plan.ideal_per_second == 200
    assert done.per_second <= 200


def test_pgbench_runs_the_products_own_statements_to_the_same_end(own_stand: Stand) -> None:
    assert limit_per_second(own_stand, items=80, clients=2, batch=20) > 0


@pytest.mark.parametrize(
    ("damage", "seen"),
    [
        ("UPDATE effects SET sends = 2", "effects accepted after one send"),
        ("UPDATE payouts SET state = 'COMPLETED'", "payouts in PROCESSING"),
        ("DELETE FROM work", "work rows handed to follow"),
        ("UPDATE ledger_totals SET amount = amount + 1", "minor units in the totals"),
        ("UPDATE balances SET credits = credits + 1", "minor units in transit"),
    ],
)
def test_a_run_that_went_wrong_is_no_result(own_stand: Stand, damage: str, seen: str) -> None:
    with own_stand.database() as url:
        drained(url)
        with opened(url) as database, database.begin() as tx:
            proof.prove(tx, 5)
        name = sa.make_url(url).database or ""
        spoil(copies.named(own_stand.share.superuser_url, name), damage)
        with (
            opened(url) as database,
            database.begin() as tx,
            pytest.raises(BrokenError, match=seen),
        ):
            proof.prove(tx, 5)


def drained(url: str) -> None:
    """Send five payouts by one worker."""
    seed(url, 5)
    with crew(orders(url), 1) as made, opened(url) as database:
        with database.begin() as tx:
            run = tx.scalar(
                sa.text("""
                INSERT INTO runs (job, queue, origin, wake_key)
                VALUES ('payouts.process', 'money', 'wake', 'payouts.process') RETURNING id""")
            )
        made.drain(run, 30)


def orders(url: str) -> Orders:
    return Orders(url=url, gateway_seconds=0.0, concurrency=2, batch=10)


def test_a_worker_that_cannot_start_ends_the_benchmark(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BrokenError, match="ended before its time"), crew(orders("nowhere"), 2):
        pass

    assert "Could not parse" in capfd.readouterr().err


def test_workers_have_ended_when_their_benchmark_has(own_stand: Stand) -> None:
    made: Crew
    with own_stand.database() as url, crew(orders(url), 2) as made:
        assert [child.poll() for child in made.children] == [None, None]

    assert [child.poll() for child in made.children] == [0, 0]


def test_nothing_of_a_stand_is_left_behind(own_stand: Stand) -> None:
    with own_stand.database() as url:
        name = sa.make_url(url).database
        assert name in databases(own_stand)

    assert name not in databases(own_stand)
    assert Path(own_stand.home.path).is_dir()


def databases(own_stand: Stand) -> set[str]:
    """The names of all databases of the stand."""
    engine = sa.create_engine(own_stand.share.superuser_url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        found = set(connection.scalars(sa.text("SELECT datname FROM pg_database")))
    engine.dispose()
    return found
