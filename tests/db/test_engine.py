"""Transactions: bounded, pinned to their schema and role, and named errors for what goes wrong."""

import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest
import sqlalchemy as sa

from db import links
from db.engine import Database, DatabaseOptions
from db.errors import (
    CommitUnknownError,
    ConnectionLostError,
    ContendedError,
    DatabaseRefusedError,
    LockedError,
    OverdueError,
    RuleBrokenError,
    detail_of,
)
from db.tx import Tx
from domain.errors import UnreachableError
from tests.builders import Pooler, change, owner, rows, worker
from tests.workers.runner.cuts import Lost, cut

POOLERS = pytest.mark.parametrize("pooler", ["none", "transaction"])


@POOLERS
def test_every_transaction_is_pinned_and_bounded(database_url: str, pooler: Pooler) -> None:
    """F24, F27: schema, role and every limit are set, through a pooler too."""
    with worker(database_url, pooler=pooler, pool_max=1) as database:
        for _ in range(3):
            [seen] = rows(
                database,
                """SELECT current_schema() AS schema, current_user AS role, current_setting('lock_timeout') AS lock,
                          current_setting('idle_in_transaction_session_timeout') AS idle,
                          current_setting('statement_timeout') AS statement""",
            )
            assert (seen.schema, seen.role, seen.lock, seen.idle) == (
                "bursar",
                "bursar_worker",
                "2s",
                "5s",
            )
            assert seen.statement in {"8s", "10s"}


@POOLERS
def test_a_long_transaction_may_read_whole_tables(database_url: str, pooler: Pooler) -> None:
    """An index is no way to read all of a table; a short one must never read all."""
    with worker(database_url, pooler=pooler, pool_max=1) as database:
        for seconds, allowed, limit in ((60.0, "on", "1min"), (5.0, "off", "8s")):
            with database.begin(seconds) as tx:
                assert tx.scalar(sa.text("SELECT current_setting('enable_seqscan')")) == allowed
                assert tx.scalar(sa.text("SELECT current_setting('statement_timeout')")) == limit


def test_behind_a_pooler_nothing_is_prepared_and_nothing_outlives_a_transaction(
    database_url: str,
) -> None:
    with worker(database_url, pooler="transaction", pool_max=1) as database:
        for _ in range(10):
            rows(database, "SELECT 1 AS one")
        with database.begin() as tx:
            assert tx.scalar(sa.text("SELECT count(*) FROM pg_prepared_statements")) == 0
        with database.engine.connect() as connection:
            assert (
                connection.execute(sa.text("SELECT current_user")).scalar_one() != "bursar_worker"
            )


def raised(state: str) -> str:
    """A statement that fails as a server does."""
    return f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("SELECT 1 / 0", RuleBrokenError),
        ("SELECT FROM nowhere", DatabaseRefusedError),
        ("UPDATE payouts SET amount = 1", DatabaseRefusedError),
        (raised("XX000"), DatabaseRefusedError),
        (raised("53100"), UnreachableError),
        (raised("58030"), UnreachableError),
        (raised("25006"), UnreachableError),
        (raised("26000"), ConnectionLostError),
    ],
)
def test_what_goes_wrong_has_a_name(
    database_url: str, statement: str, error: type[Exception]
) -> None:
    with worker(database_url, pool_max=1) as database:
        with pytest.raises(error):
            rows(database, statement)
        assert rows(database, "SELECT 1 AS one")[0].one == 1


def test_no_value_of_a_statement_is_in_an_exceptions_text(database_url: str) -> None:
    """Tracebacks are logged; frozen bodies and names, which statements carry, must not be."""
    statement = sa.text("""
        INSERT INTO findings (key, kind, subject, severity, detail) VALUES ('k', 'k', :name, :severity, 'd')""")
    given = {"name": "Asha Verma", "severity": "4711"}
    with worker(database_url) as database:
        with pytest.raises(RuleBrokenError) as broken, database.begin() as tx:
            tx.run(statement, **given)
        assert detail_of(broken.value.__cause__) is not None  # type: ignore[arg-type]  # its cause is SQLAlchemy's
    text = "".join(traceback.format_exception(broken.value))
    assert "findings_severity_check" in text
    assert [value for value in given.values() if value in text] == []


def test_a_text_that_no_column_holds_breaks_a_rule(database_url: str) -> None:
    with worker(database_url) as database, pytest.raises(RuleBrokenError):
        rows(database, "SELECT CAST(:text AS text)", text="a\x00b")


def test_a_migration_under_a_running_process_costs_it_one_try(database_url: str) -> None:
    """F35: a prepared statement that returns other columns now fails in its session for ever."""
    with worker(database_url, pool_max=1) as database, owner(database_url) as outside:
        for _ in range(10):
            rows(database, "SELECT * FROM switches")
        change(outside, "ALTER TABLE switches ADD COLUMN more text")
        with pytest.raises(ConnectionLostError):
            rows(database, "SELECT * FROM switches")
        assert rows(database, "SELECT * FROM switches") == []


def test_a_killed_backend_is_a_lost_connection_and_the_next_transaction_has_another(
    database_url: str, superuser_url: str
) -> None:
    """F21, F22."""
    admin = sa.create_engine(superuser_url, poolclass=sa.pool.NullPool)
    with worker(database_url, pool_max=1) as database:
        with pytest.raises(ConnectionLostError), database.begin() as tx:
            kill_backend_of(tx, admin)
        assert rows(database, "SELECT 1 AS one")[0].one == 1


def kill_backend_of(tx: Tx, admin: sa.Engine) -> None:
    """End the session of `tx` from outside, then use it."""
    pid = tx.scalar(sa.text("SELECT pg_backend_pid()"))
    with admin.connect() as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    tx.scalar(sa.text("SELECT 1"))


def test_a_lock_somebody_holds_is_waited_for_two_seconds(database_url: str) -> None:
    """F27."""
    with worker(database_url) as one, worker(database_url) as other, one.begin() as tx:
        tx.run(sa.text("LOCK TABLE leases IN EXCLUSIVE MODE"))
        with pytest.raises(LockedError):
            change(other, "UPDATE leases SET token = 1")


def test_a_statement_that_lasts_too_long_is_ended(database_url: str) -> None:
    with worker(database_url) as database, pytest.raises(OverdueError), database.begin() as tx:
        be_slow(tx)


def be_slow(tx: Tx) -> None:
    """Ask for more than a shortened limit allows."""
    tx.run(sa.text("SET LOCAL statement_timeout = 50"))
    tx.scalar(sa.text("SELECT pg_sleep(5)"))


@pytest.mark.parametrize("lost", list(Lost), ids=["reply", "request"])
def test_a_lost_commit_is_in_doubt_whether_it_happened_or_not(
    database_url: str, lost: Lost
) -> None:
    """F16, F17, F18: the client sees the same in both."""
    note = "INSERT INTO switches (name, is_on, who, why) VALUES ('x', true, 'a', 'b')"
    with worker(database_url) as database, owner(database_url) as outside:
        with (
            cut(database, "INSERT INTO switches", lost),
            pytest.raises(CommitUnknownError),
            database.begin() as tx,
        ):
            tx.run(sa.text(note))
        with outside.begin() as tx:  # waits for a commit still under way
            tx.run(sa.text("LOCK TABLE switches IN EXCLUSIVE MODE"))
            found = tx.rows(sa.text("SELECT FROM switches"))
    assert len(found) == (1 if lost is Lost.REPLY else 0)


def noted(database: Database, *keys: str) -> None:
    """Findings of these keys, each seen once."""
    note = "INSERT INTO findings (key, kind, subject, severity, detail) VALUES (:key, 'k', 's', 'P2', 'd')"
    for key in keys:
        change(database, note, key=key)


SEE = sa.text("UPDATE findings SET seen = :seen WHERE key = :key")


def test_of_writers_that_cannot_be_put_in_order_each_is_tried_again(database_url: str) -> None:
    """F25: four read and write one row in snapshots of their own; the server refuses, and none is lost."""
    together, writers = threading.Barrier(4), 4
    tries = list[int]()
    with worker(database_url) as database:
        noted(database, "counted")

        def count(tx: Tx) -> None:
            tx.run(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            seen = tx.scalar(sa.text("SELECT seen FROM findings WHERE key = 'counted'"))
            tries.append(seen)
            if len(tries) <= writers:
                together.wait(60)
            tx.run(SEE, seen=seen + 1, key="counted")

        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(lambda _: database.transact(count), range(writers)))
        [found] = rows(database, "SELECT seen FROM findings")
    assert found.seen == 1 + writers
    assert len(tries) > writers


def test_of_two_who_lock_in_opposite_orders_one_is_broken_off_and_both_are_done(
    database_url: str,
) -> None:
    """F26: each holds what the other wants; the server ends the circle, and the one it chose begins again."""
    together = threading.Barrier(2)
    tries = list[str]()
    with worker(database_url) as database:
        noted(database, "a", "b")

        def both(first: str, second: str) -> None:
            def work(tx: Tx) -> None:
                tries.append(first)
                tx.run(SEE, seen=2, key=first)
                if len(tries) <= 2:
                    together.wait(60)
                tx.run(SEE, seen=2, key=second)

            database.transact(work)

        with ThreadPoolExecutor(2) as pool:
            ended = [pool.submit(both, *keys) for keys in ("ab", "ba")]
            assert [one.result() for one in ended] == [None, None]
        assert {row.seen for row in rows(database, "SELECT seen FROM findings")} == {2}
    assert len(tries) == 3


def test_contention_is_tried_again_whole(database_url: str) -> None:
    """F25, F26: the transaction, not the statement; then it is the caller's."""
    tries = []
    with worker(database_url) as database:

        def contended(tx: object) -> str:
            tries.append(tx)
            if len(tries) < 3:
                raise ContendedError("deadlock")
            return "done"

        assert database.transact(contended) == "done"
        assert len(tries) == 3
        with pytest.raises(ContendedError):
            database.transact(lambda _: (_ for _ in ()).throw(ContendedError("x")), attempts_max=2)


def test_a_server_that_is_not_there_is_unreachable(database_url: str) -> None:
    url = sa.make_url(database_url).update_query_dict({"host": "/nowhere"})
    options = DatabaseOptions(url=url.render_as_string(hide_password=False))
    database = Database(options)
    with pytest.raises(UnreachableError), database.begin():
        pass
    database.dispose()


def test_a_session_that_ended_in_the_pool_is_replaced_before_anybody_meets_it(
    database_url: str, superuser_url: str
) -> None:
    """F22: a restarted server closes what lies idle; nobody is told of a lost connection."""
    admin = sa.create_engine(superuser_url, poolclass=sa.pool.NullPool)
    with worker(database_url, pool_max=1) as database:
        [before] = rows(database, "SELECT pg_backend_pid() AS pid")
        with admin.connect() as connection:  # waits until the session is gone
            ended = "SELECT pg_terminate_backend(:pid, 60000)"
            assert connection.execute(sa.text(ended), {"pid": before.pid}).scalar_one()
        [after] = rows(database, "SELECT pg_backend_pid() AS pid")
    assert after.pid != before.pid


def test_a_session_that_was_told_something_is_kept(database_url: str) -> None:
    """What a healthy server says by itself, such as a changed setting, is no end."""
    with worker(database_url, pool_max=1) as database, worker(database_url) as other:
        rows(database, "SELECT 1 AS one")
        change(database, "LISTEN talk")
        [before] = rows(database, "SELECT pg_backend_pid() AS pid")
        change(other, "NOTIFY talk")
        [after] = rows(database, "SELECT pg_backend_pid() AS pid")
    assert after.pid == before.pid


def test_a_connection_that_was_just_made_is_not_doubted(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were it lost within the same moment, the pool would give up in words that name no fault."""
    with worker(database_url, pool_max=1) as database:
        rows(database, "SELECT 1")

        def lost(_: object) -> bool:
            raise psycopg.OperationalError("the connection is lost")

        monkeypatch.setattr(links, "_speaks", lambda _: True)
        monkeypatch.setattr(database.engine.dialect, "do_ping", lost)
        for _ in range(2):
            assert rows(database, "SELECT 1 AS one")[0].one == 1


@POOLERS
def test_a_single_statement_is_committed_by_itself(database_url: str, pooler: Pooler) -> None:
    """And the connection it used serves whole transactions afterwards."""
    note = "INSERT INTO switches (name, is_on, who, why) VALUES ('x', true, 'a', 'b')"
    with worker(database_url, pooler=pooler, pool_max=1) as database:
        with database.single() as tx:
            tx.run(sa.text(note))
        assert len(rows(database, "SELECT FROM switches")) == 1
        with suppress(ContendedError), database.begin() as tx:
            tx.run(sa.text("DELETE FROM switches"))
            raise ContendedError("undone")
        assert len(rows(database, "SELECT FROM switches")) == 1


def test_a_single_statement_that_no_connection_could_be_had_for_was_not_committed() -> None:
    database = Database(DatabaseOptions(url="postgresql://nobody@127.0.0.1:1/none"))
    with pytest.raises(ConnectionLostError), database.single():
        pytest.fail("there was no connection")
    database.dispose()


def test_a_single_statement_that_is_lost_is_in_doubt(database_url: str, superuser_url: str) -> None:
    """F16: nobody can tell whether it was committed."""
    admin = sa.create_engine(superuser_url, poolclass=sa.pool.NullPool)
    with worker(database_url, pool_max=1) as database:
        with pytest.raises(CommitUnknownError), database.single() as tx:
            kill_backend_of(tx, admin)
        assert rows(database, "SELECT 1 AS one")[0].one == 1
