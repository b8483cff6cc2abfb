"""The explorer itself: it finds planted mistakes, runs every order once, and brings the world back exactly."""

from collections.abc import Callable
from math import comb
from typing import Any

import pytest
import sqlalchemy as sa

from db import work
from tests.builders import rows
from tests.operating import change
from tests.races.catalog import RACES
from tests.races.explorer import BrokenError, Race, explore, replay
from tests.races.stage import Stage


def opened(stage: Stage, race: Race) -> Race:
    """Prepare the world of a race."""
    stage.given = race.prepare(stage)
    stage.keep()
    return race


def plant(monkeypatch: pytest.MonkeyPatch, name: str, right: str, wrong: str) -> None:
    """Put a mistake into a statement of `db.work`."""
    text = getattr(work, name).text
    assert right in text
    monkeypatch.setattr(work, name, sa.text(text.replace(right, wrong)))


def test_a_claim_that_reads_before_it_writes_is_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, "_CLAIM", "FOR UPDATE SKIP LOCKED", "")

    with pytest.raises(BrokenError, match="worker/worker"):
        explore(stage, opened(stage, RACES["worker/worker"]), most=100, walks=0)


def test_a_settle_that_compares_no_token_is_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, "_REGAIN", "AND w.token = h.token", "")
    plant(monkeypatch, "_SETTLE", "AND (w.token = n.token OR n.token = 0)", "")

    with pytest.raises(BrokenError, match="sleeper-puts-back/worker"):
        explore(stage, opened(stage, RACES["sleeper-puts-back/worker"]), most=100, walks=0)


def test_what_was_found_is_found_again_by_its_id(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, "_CLAIM", "FOR UPDATE SKIP LOCKED", "")
    race = opened(stage, RACES["worker/worker"])
    with pytest.raises(BrokenError) as found:
        explore(stage, race, most=100, walks=0)
    _, _, schedule = found.value.schedule.partition(":")

    with pytest.raises(BrokenError) as again:
        replay(stage, race, schedule)

    assert again.value.schedule == found.value.schedule


def turns(*names: str) -> Callable[[Stage], None]:
    """A side that updates rows of `workers` one by one, in this order, in one transaction."""

    def act(stage: Stage) -> None:
        def work(tx: Any) -> None:  # noqa: ANN401 - a transaction
            for name in names:
                tx.run(sa.text("UPDATE workers SET pid = pid + 1 WHERE id = :id"), id=name)

        stage.worker.transact(work)

    return act


def crew(stage: Stage) -> None:
    """Rows to turn."""
    statement = """INSERT INTO workers (id, host, pid, version, jobs)
                   SELECT n, 'h', 0, '1', '{}' FROM unnest(CAST('{a,b,c,d}' AS text[])) n"""
    change(stage.worker, statement)


def both_turned(stage: Stage, _sides: object) -> None:
    found = {r.id: r.pid for r in rows(stage.worker, "SELECT id, pid FROM workers")}
    assert found == {"a": 2, "b": 2, "c": 0, "d": 0}


def test_locks_taken_in_two_orders_are_found(stage: Stage) -> None:
    race = Race(name="two/orders", prepare=crew, sides=(turns("a", "b"), turns("b", "a")))

    with pytest.raises(BrokenError, match="a deadlock"):
        explore(stage, opened(stage, race), most=100, walks=0)


def test_a_deadlock_that_may_be_is_settled_by_its_retry(stage: Stage) -> None:
    race = Race(
        name="two/orders",
        prepare=crew,
        sides=(turns("a", "b"), turns("b", "a")),
        may_deadlock=True,
        check=both_turned,
    )

    done = explore(stage, opened(stage, race), most=100, walks=0)

    assert done.is_all
    assert done.deadlocks > 0


def test_every_order_of_steps_is_run_exactly_once(stage: Stage) -> None:
    """Two statements and a commit on each side, on rows of their own: 6 over 3 orders."""
    race = Race(name="no/touch", prepare=crew, sides=(turns("a", "b"), turns("c", "d")))

    done = explore(stage, opened(stage, race), most=1000, walks=0)

    assert done.is_all
    assert done.waited == 0
    assert done.schedules == len(done.ids) == comb(6, 3)


def test_three_sides_are_run_in_every_order(stage: Stage) -> None:
    race = Race(name="all/three", prepare=crew, sides=(turns("a"), turns("b"), turns("c")))

    done = explore(stage, opened(stage, race), most=1000, walks=0)

    assert done.is_all
    assert done.schedules == len(done.ids) == comb(6, 2) * comb(4, 2)


def test_a_slow_statement_is_not_taken_for_a_waiting_one(stage: Stage) -> None:
    def dawdle(stage: Stage) -> None:
        with stage.worker.begin() as tx:
            tx.row(sa.text("SELECT CAST(pg_sleep(0.03) AS text)"))

    race = Race(name="slow/slow", sides=(dawdle, dawdle))

    done = explore(stage, opened(stage, race), most=4, walks=0)

    assert done.waited == 0


def test_a_schedule_leaves_nothing_behind(stage: Stage) -> None:
    """Every row of every table, every sequence, and the bank are what they were."""
    race = opened(stage, RACES["process/cancel"])
    before = contents(stage)

    explore(stage, race, most=5, walks=0)
    assert contents(stage) != before
    stage.restore()

    assert contents(stage) == before


def contents(stage: Stage) -> dict[str, object]:
    """All there is, by table."""
    with sa.create_engine(stage.superuser_url, poolclass=sa.pool.NullPool).connect() as connection:
        run = connection.exec_driver_sql
        sequences = run("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1").all()
        tables = run("SELECT tablename FROM pg_tables WHERE schemaname = 'bursar'").scalars().all()
        found: dict[str, object] = {
            name: run(f'SELECT CAST(t AS text) FROM bursar."{name}" t ORDER BY 1').scalars().all()  # noqa: S608 - our own names
            for name in tables
        }
    return found | {"sequences": sequences, "bank": (stage.bank.transfers, stage.bank.submits)}
