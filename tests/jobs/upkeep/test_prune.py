"""What nobody needs any more goes; what a replay or an auditor may ask for stays."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from db.engine import Database
from db.errors import RuleBrokenError
from domain.payouts import PROCESS
from domain.tally import Count, Tally
from jobs.upkeep import prune as job_module
from jobs.upkeep.prune import Prune
from tests.builders import assert_paid_once, assert_sound, house, seed
from tests.operating import change, opened, query


@pytest.fixture
def worker(database_url: str) -> Iterator[Database]:
    with opened(database_url, "bursar_worker") as database:
        yield database


def prune(worker: Database) -> Tally:
    """A whole run."""
    tally, cursor = Tally(), dict[str, Any]()
    while True:
        with worker.begin() as tx:
            page = Prune().page(tx, cursor, run=1)
        tally += page.tally
        if page.cursor is None:
            return tally
        cursor = dict(page.cursor)


RUN = """
    INSERT INTO runs (job, queue, origin, state, request_key, wake_key, created_at, ended_at)
    SELECT 'a.b', 'rest', :origin, :state, CAST(:key AS text) || n, CASE WHEN :origin = 'wake' THEN 'a.b' END,
           now() - make_interval(days => :made), now() - make_interval(days => :ended)
    FROM generate_series(1, :count) n"""


def make(
    worker: Database,
    origin: str,
    *,
    key: str | None = None,
    state: str = "succeeded",
    made: int = 100,
    ended: int | None = 99,
    count: int = 1,
) -> None:
    """Runs that were made and ended so many days ago."""
    values = {
        "origin": origin,
        "key": key,
        "state": state,
        "made": made,
        "ended": ended,
        "count": count,
    }
    change(worker, RUN, **values)


def test_old_runs_go_in_batches_and_the_others_stay(
    worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_module, "BATCH", 5)
    make(worker, "wake", count=23)
    make(worker, "tick", key="tick:", count=4)
    make(worker, "operator", key="mine-", count=7)
    make(worker, "sql", key="theirs-")
    make(worker, "operator", count=3)
    make(worker, "wake", state="running", ended=None)
    make(worker, "wake", made=100, ended=80)
    make(worker, "wake", made=3, ended=2, count=8)
    tally = prune(worker)
    assert tally[Count.SUCCEEDED] == 23 + 4 + 3
    left = query(worker, "SELECT origin, count(*) AS n FROM runs GROUP BY origin ORDER BY origin")
    assert [(row.origin, row.n) for row in left] == [("operator", 7), ("sql", 1), ("wake", 10)]
    assert prune(worker)[Count.SUCCEEDED] == 0


def test_a_callers_key_still_names_its_run_after_years(worker: Database) -> None:
    """Asked again under the same key, the old run is returned: nothing runs twice."""
    make(worker, "sql", key="k", made=2000, ended=2000)
    prune(worker)
    again = query(worker, "SELECT bursar_enqueue('a.b', '{}', 'k1') AS id")[0].id
    assert [row.id for row in query(worker, "SELECT id FROM runs")] == [again]


NOTICE = """
    INSERT INTO notices (id, kind, subject, sequence, payload, state, created_at, updated_at)
    SELECT gen_random_uuid(), 'payout.completed', gen_random_uuid(), 1, '{}', :state,
           now() - make_interval(days => :made), now() - make_interval(days => :heard)
    FROM generate_series(1, :count)"""


def test_notices_that_were_heard_long_ago_go_and_those_nobody_heard_stay(
    worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_module, "BATCH", 5)
    for state, made, heard, count in (
        ("DELIVERED", 100, 91, 17),
        ("DELIVERED", 100, 89, 2),
        ("DELIVERED", 89, 89, 3),
        ("PENDING", 100, 100, 6),
        ("FAILED", 100, 100, 7),
    ):
        change(worker, NOTICE, state=state, made=made, heard=heard, count=count)
    assert prune(worker)[Count.SUCCEEDED] == 17
    left = query(worker, "SELECT state, count(*) AS n FROM notices GROUP BY state ORDER BY state")
    assert [tuple(row) for row in left] == [("DELIVERED", 5), ("FAILED", 7), ("PENDING", 6)]
    assert prune(worker)[Count.SUCCEEDED] == 0


@pytest.mark.parametrize(("state", "heard"), [("DELIVERED", 89), ("PENDING", 100), ("FAILED", 100)])
def test_no_worker_can_let_go_of_what_was_not_heard_or_heard_of_late(
    worker: Database, state: str, heard: int
) -> None:
    change(worker, NOTICE, state=state, made=100, heard=heard, count=1)
    with pytest.raises(RuleBrokenError):
        change(worker, "DELETE FROM notices")


KEY = """
    INSERT INTO idempotency_keys (application, actor, key, request_hash, reply, created_at)
    SELECT 'shop', gen_random_uuid(), 'k', '', '{}', now() - make_interval(days => :days)
    FROM generate_series(1, :count)"""


def test_answers_are_kept_for_thirty_days(
    worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_module, "BATCH", 5)
    for days, count in ((31, 17), (29, 4)):
        change(worker, KEY, days=days, count=count)
    assert prune(worker)[Count.SUCCEEDED] == 17
    assert query(worker, "SELECT count(*) AS n FROM idempotency_keys")[0].n == 4


def test_silent_workers_are_forgotten(worker: Database) -> None:
    statement = """
        INSERT INTO workers (id, host, pid, version, jobs, beat_at)
        VALUES (:id, 'h', 1, '1', '{}', now() - make_interval(hours => :hours))"""
    for id_, hours in (("gone", 25), ("late", 23)):
        change(worker, statement, id=id_, hours=hours)
    prune(worker)
    assert [row.id for row in query(worker, "SELECT id FROM workers")] == ["late"]


MONTHS = "SELECT relname FROM pg_class WHERE relname LIKE :like AND relispartition AND relkind = 'r' ORDER BY 1"


def months(worker: Database, table: str) -> list[str]:
    return [row.relname for row in query(worker, MONTHS, like=f"{table}_2%")]


def test_missing_months_are_made_by_a_worker_that_owns_no_table(
    worker: Database, superuser_url: str
) -> None:
    before = {table: months(worker, table) for table in ("moves", "postings", "effect_answers")}
    as_owner(superuser_url, *(f"DROP TABLE bursar.{names[-1]}" for names in before.values()))
    assert prune(worker)[Count.SUCCEEDED] == 3
    assert {table: months(worker, table) for table in before} == before


def test_a_month_whose_rows_are_in_the_default_partition_is_left_out(
    worker: Database, superuser_url: str
) -> None:
    last = months(worker, "moves")[-1]
    as_owner(
        superuser_url,
        f"DROP TABLE bursar.{last}",
        "INSERT INTO bursar.moves (kind, subject, source, target, actor, at) "
        "VALUES ('payout', gen_random_uuid(), 'A', 'B', 'x', date_trunc('month', now()) + interval '3 months 1 day')",
    )
    prune(worker)
    assert last not in months(worker, "moves")
    assert query(worker, "SELECT count(*) AS n FROM moves")[0].n == 1


def test_attempts_go_by_whole_months_after_thirteen(worker: Database, superuser_url: str) -> None:
    for year in (2020, 2021):
        as_owner(
            superuser_url,
            f"CREATE TABLE bursar.run_attempts_{year}_01 PARTITION OF bursar.run_attempts "
            f"FOR VALUES FROM ('{year}-01-01') TO ('{year}-02-01')",
            f"ALTER TABLE bursar.run_attempts_{year}_01 OWNER TO bursar_owner",
        )
    assert prune(worker)[Count.SUCCEEDED] == 2
    assert months(worker, "run_attempts")[0] > "run_attempts_2022"
    drop = "SELECT drop_run_attempts(0)"
    kept = months(worker, "run_attempts")
    assert query(worker, drop) == []
    assert months(worker, "run_attempts") == kept


def test_beside_work_that_goes_on_nothing_goes_that_is_open_or_promised(
    worker: Database, database_url: str
) -> None:
    """F99: a run whose calls are under way, older than anything that is kept; its leases, effects and keys."""
    make(worker, "wake", count=200)
    make(worker, "operator", key="mine-", count=3)
    ids = seed(database_url, 40)
    with house(database_url, batch_max=10) as home:
        with home.bank.held() as hold:
            run = home.in_background(PROCESS)
            hold.wait_for(1)
            change(worker, AGED)
            assert prune(worker)[Count.SUCCEEDED] >= 200
            hold.release()
            while run.is_running:
                prune(worker)
        ended = run.end()
    assert (ended.state, ended.tally["succeeded"]) == ("succeeded", 40)
    assert_paid_once(home.bank, ids)
    left = query(worker, "SELECT request_key FROM runs WHERE request_key LIKE 'mine-%'")
    assert len(left) == 3
    assert_sound(worker)


AGED = "UPDATE runs SET created_at = now() - interval '400 days' WHERE state = 'running'"


def as_owner(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
