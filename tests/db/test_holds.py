"""Work rows locked for one transaction: seen by nobody, gone with whoever dies, and a fence where they are settled."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from db import switches, transitions
from db.engine import Database
from db.work import ClaimOrder, Next
from tests.builders import WAITS_FOR_A_LOCK, add_work, change, owner, rows, worker
from tests.waiting import eventually

JOB = "a.b"
ORDER = ClaimOrder(run=7, limit=10, lease_seconds=15)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with worker(database_url) as made:
        yield made


def test_what_is_ready_is_taken_nearest_first_and_nothing_is_written(database: Database) -> None:
    ids = add_work(database, JOB, 3, due="clock_timestamp() - n * interval '1 minute'")
    add_work(database, JOB, 1, due="clock_timestamp() + interval '1 minute'")
    with database.begin() as tx:
        leased = transitions.take(tx, JOB, ClaimOrder(run=7, limit=2, lease_seconds=15))
        assert list(leased.held) == ids[:2]
        assert tx.rows(sa.text("SELECT FROM work WHERE token IS NOT NULL OR claims > 0")) == []
    with database.begin() as tx:
        assert list(transitions.take(tx, JOB, ORDER).held) == ids


def test_two_take_what_the_other_has_not(database: Database) -> None:
    ids = add_work(database, JOB, 4)
    with database.begin() as one, database.begin() as other:
        first = transitions.take(one, JOB, ClaimOrder(run=7, limit=2, lease_seconds=15))
        second = transitions.take(other, JOB, ORDER)
        assert set(first.held) | set(second.held) == set(ids)
        assert not set(first.held) & set(second.held)


def test_what_a_switch_holds_or_a_scope_leaves_out_is_not_taken(database: Database) -> None:
    ids = add_work(database, JOB, 3)
    with database.begin() as tx:
        narrow = ClaimOrder(run=7, limit=10, lease_seconds=15, only=ids[1:2])
        assert list(transitions.take(tx, JOB, narrow).held) == ids[1:2]
        switches.turn(tx, "job:a.b", on=True, who="asha", why="x")
        gated = ClaimOrder(run=7, limit=10, lease_seconds=15, gates=("job:a.b",))
        assert transitions.take(tx, JOB, gated).held == {}


def test_what_is_taken_is_settled_as_what_is_claimed(database: Database) -> None:
    gone, later, kept = add_work(database, JOB, 3)
    with database.begin() as tx:
        leased = transitions.take(tx, JOB, ORDER)
        again = Next(subject=later, job="a.c", delay=timedelta(hours=1))
        leased.settle([Next(subject=gone, job=None), again])
    found = {row.subject: row for row in rows(database, "SELECT * FROM work")}
    assert set(found) == {later, kept}
    assert (found[later].job, found[kept].job, found[kept].token) == ("a.c", JOB, None)


def test_a_holder_whose_row_an_operation_settles_is_fenced(database: Database) -> None:
    """A worker's call may be under way: the row's end is its fence, as another token would be."""
    [id_] = add_work(database, JOB, 1)
    with database.begin() as tx:
        held = list(transitions.claim(tx, JOB, ORDER).held.values())
    with database.begin() as tx:
        operation = transitions.hold(tx, [id_], run=None, actor="asha")
        operation.settle([Next(subject=id_, job="a.c")])
    with database.begin() as tx:
        assert transitions.regain(tx, held, run=7).held == {}
    assert [row.job for row in rows(database, "SELECT job FROM work")] == ["a.c"]


def test_what_an_operation_holds_and_leaves_keeps_its_date_and_its_holder(
    database: Database,
) -> None:
    [id_] = add_work(database, JOB, 1)
    with database.begin() as tx:
        held = list(transitions.claim(tx, JOB, ORDER).held.values())
    before = rows(database, "SELECT * FROM work")
    with database.begin() as tx:
        transitions.hold(tx, [id_], run=None, actor="asha")
    assert rows(database, "SELECT * FROM work") == before
    with database.begin() as tx:
        assert set(transitions.regain(tx, held, run=7).held) == {id_}
    change(database, "DELETE FROM work")


def test_who_waited_for_a_row_handed_over_meanwhile_and_who_came_after_lock_in_one_order(
    database: Database, database_url: str
) -> None:
    """In an order that never changes: the early one knows the last row by the job it had, the late one by its new."""
    first, middle, last = sorted(add_work(database, "m.m", 3))

    def holds(name: str) -> set[UUID]:
        with database.begin() as tx:
            return {*transitions.hold(tx, [first, middle, last], run=None, actor=name).held}

    def waiting(number: int) -> None:
        eventually(lambda: len(rows(outside, WAITS_FOR_A_LOCK)) == number, what=f"{number} wait")

    with owner(database_url) as outside, ThreadPoolExecutor(2) as pool:
        with database.begin() as between:
            transitions.hold(between, [middle], run=None, actor="noor")
            with database.begin() as tx:
                mine = transitions.hold(tx, [last], run=None, actor="asha")
                early = pool.submit(holds, "early")
                waiting(1)
                mine.settle([Next(subject=last, job="a.a")])
            late = pool.submit(holds, "late")
            waiting(2)
        # Neither was broken off by the server, as whoever closes a circle of waits is.
        assert early.result() == late.result() == {first, middle, last}


def test_of_several_kinds_of_subjects_those_of_one_are_locked_before_any_of_the_next(
    database: Database, database_url: str
) -> None:
    """What many share is locked last: by key alone it might come first, and who has one of them would wait for it."""
    shared, *own = sorted(add_work(database, "m.m", 3))

    def holds() -> list[object]:
        with database.begin() as tx:
            return list(transitions.hold(tx, own, [shared], run=None, actor="asha").held)

    with owner(database_url) as outside, ThreadPoolExecutor(1) as pool:
        with database.begin() as tx:
            transitions.hold(tx, [own[1]], run=None, actor="noor")
            waits = pool.submit(holds)
            eventually(lambda: len(rows(outside, WAITS_FOR_A_LOCK)) == 1, what="it waits")
            assert set(transitions.hold(tx, [shared], run=None, actor="noor").held) == {shared}
        assert waits.result() == [*own, shared]
