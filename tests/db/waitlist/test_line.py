"""Who may join the line, leave it, and read it; what each refusal is called."""

import pytest

from db.engine import Database
from db.waitlist.line import join, roster
from domain.booking_errors import (
    NotOpenError,
    PlacesFreeError,
    SoldOutError,
    UnknownError,
    WaitingAlreadyError,
)
from domain.owners import ConsultantOwner, CustomerOwner
from domain.waitlist import ROSTER_MAX
from tests.booking import appointment, begin, customer, plan
from tests.builders import change
from tests.lining import Full, declines, full, leaves, line, reader, remove, taken, takes, wait


def joins(database: Database, there: Full, who: object) -> None:
    owner = CustomerOwner(id=who)  # type: ignore[arg-type]  # an id
    database.transact(lambda tx: join(tx, owner, there.appointment))


def test_nobody_joins_twice(operator: Database, database: Database, outside: Database) -> None:
    there = full(operator, outside, waiting=1)
    with pytest.raises(WaitingAlreadyError):
        joins(database, there, there.customers[there.waiting[0]])


def test_nobody_joins_while_a_place_is_free(
    operator: Database, database: Database, outside: Database
) -> None:
    there = full(operator, outside, waiting=0)
    remove(database, there, there.seated[0])
    assert taken(outside, there) == ("PLANNED", 0, 1)
    with pytest.raises(PlacesFreeError):
        joins(database, there, customer(operator))


def test_a_consultant_does_not_wait_for_a_place_of_their_own(
    operator: Database, database: Database, outside: Database
) -> None:
    """TRAP: an offer to the host holds a place that they may not take, until it expires."""
    there, host = full(operator, outside, waiting=0), customer(operator)
    statement = "UPDATE customers SET payee = :payee WHERE id = :id"
    change(outside, statement, payee=there.consultant, id=host)
    with pytest.raises(NotOpenError, match="no participant of their own appointments"):
        joins(database, there, host)


def test_a_freed_place_goes_to_nobody_who_did_not_wait(
    operator: Database, database: Database, outside: Database
) -> None:
    there = full(operator, outside, waiting=1)
    remove(database, there, there.seated[0])
    late = reader(operator, outside)
    with pytest.raises(SoldOutError):
        begin(database, of=late, plan=there.plan, at=there.appointment)
    joins(database, there, late)


def test_who_left_may_join_again_behind_the_others(
    operator: Database, database: Database, outside: Database
) -> None:
    there = full(operator, outside, waiting=2)
    leaves(database, there, there.waiting[0])
    joins(database, there, there.customers[there.waiting[0]])
    assert line(outside, there) == ["CANCELLED", "WAITING"]
    with pytest.raises(NotOpenError):
        leaves(database, there, there.waiting[0])


def test_nobody_joins_what_is_private_over_or_not_there(
    operator: Database, database: Database, outside: Database
) -> None:
    there = full(operator, outside, waiting=0)
    private = plan(operator, "consultation")
    own = appointment(operator, private)
    who = customer(operator)
    with pytest.raises(NotOpenError):
        database.transact(lambda tx: join(tx, CustomerOwner(id=who), own))
    with pytest.raises(UnknownError):
        database.transact(lambda tx: join(tx, CustomerOwner(id=who), who))
    with pytest.raises(UnknownError):
        joins(database, there, there.plan)


def test_an_entry_of_somebody_else_is_one_that_is_not_there(
    operator: Database, database: Database, outside: Database
) -> None:
    there = full(operator, outside, waiting=2)
    mine, theirs = there.waiting
    there.customers[mine] = there.customers[theirs]
    for act in (leaves, declines, takes):
        with pytest.raises(UnknownError, match=f"there is no entry {mine}"):
            act(database, there, mine)


def test_nothing_is_taken_or_declined_before_it_is_offered(
    operator: Database, database: Database, outside: Database
) -> None:
    there = full(operator, outside, waiting=1)
    with pytest.raises(NotOpenError):
        takes(database, there, there.waiting[0])
    with pytest.raises(NotOpenError):
        declines(database, there, there.waiting[0])


def test_the_roster_is_in_the_order_of_the_line_and_says_where_it_was_cut(
    operator: Database, database: Database, outside: Database
) -> None:
    there = full(operator, outside, waiting=2)
    first = wait(operator, outside, there, priority=1)
    owner = ConsultantOwner(id=there.consultant)
    with database.begin() as tx:
        told = roster(tx, owner, there.appointment)
    assert [row.id for row in told.entries] == [first, *there.waiting[:2]]
    assert not told.truncated
    change(
        outside,
        """WITH made AS (
             INSERT INTO customers (id, external_id, name)
             SELECT gen_random_uuid(), 'many ' || n, 'x' FROM generate_series(1, :many) n RETURNING id)
           INSERT INTO waitlist (id, external_id, appointment, customer)
           SELECT gen_random_uuid(), CAST(id AS text), :at, id FROM made""",
        many=ROSTER_MAX,
        at=there.appointment,
    )
    with database.begin() as tx:
        told = roster(tx, owner, there.appointment)
        assert (len(told.entries), told.truncated) == (ROSTER_MAX, True)
        with pytest.raises(UnknownError):
            roster(tx, ConsultantOwner(id=there.seated[0]), there.appointment)
