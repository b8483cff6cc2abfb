"""A paid booking is moved, or its customer is taken out: places and times follow, and nothing comes back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from db.bookings.availability import free_times, open_appointments
from db.bookings.participants import Removed, participants, remove_participant
from db.bookings.reschedule import reschedule
from db.engine import Database
from domain.booking_errors import NotOpenError, SoldOutError, TimeTakenError, UnknownError
from domain.checkouts import Receipt
from domain.errors import BadInputError
from domain.owners import ConsultantOwner, CustomerOwner
from tests.booking import (
    HOUR,
    NOON,
    Consultant,
    appointment,
    begin,
    cancel,
    consultant,
    customer,
    everything,
    pay,
    plan,
    state,
)
from tests.builders import rows

DAY = timedelta(days=1)


def move(
    database: Database,
    who: UUID,
    made: Receipt,
    *,
    to: UUID | None = None,
    starts: Sequence[datetime] = (),
) -> UUID:
    """Reschedule as its customer."""
    owner = CustomerOwner(id=who)
    return database.transact(lambda tx: reschedule(tx, owner, made.booking, to=to, starts=starts))


def remove(database: Database, whose: Consultant, at: UUID, who: UUID) -> Removed:
    """Take a participant out, as the consultant."""
    owner = ConsultantOwner(id=whose.id)
    return database.transact(lambda tx: remove_participant(tx, owner, at, who))


def taken(database: Database, *ids: UUID) -> list[int]:
    """The places that are taken, of each."""
    found = {row.id: row.taken for row in rows(database, "SELECT id, taken FROM appointments")}
    return [found[id_] for id_ in ids]


@pytest.fixture
def whose(operator: Database) -> Consultant:
    return consultant(operator)


@pytest.fixture
def webinar(operator: Database, whose: Consultant) -> UUID:
    return plan(operator, of=whose)


def test_a_booking_is_moved_to_another_appointment_and_back(
    operator: Database, database: Database, webinar: UUID
) -> None:
    first = appointment(operator, webinar, capacity=3)
    other = appointment(operator, webinar, capacity=3, starts=(NOON + DAY,))
    who = customer(operator)
    made = begin(database, of=who, plan=webinar, at=first, places=2)
    with pytest.raises(NotOpenError):
        move(database, who, made, to=other)
    pay(database, made.payment)
    assert move(database, who, made, to=other) == other
    assert taken(database, first, other) == [0, 2]
    assert move(database, who, made, to=first) == first
    assert taken(database, first, other) == [2, 0]
    assert [row.state for row in rows(database, "SELECT state FROM seats ORDER BY state")] == [
        "CONFIRMED",
        "RELEASED",
    ]


def test_it_stays_where_there_is_no_place_for_it(
    operator: Database, database: Database, webinar: UUID
) -> None:
    first, full = (appointment(operator, webinar, starts=(NOON + n * DAY,)) for n in range(2))
    who, other = customer(operator), customer(operator)
    made = begin(database, of=who, plan=webinar, at=first)
    begin(database, of=other, plan=webinar, at=full)
    pay(database, made.payment)
    with pytest.raises(SoldOutError):
        move(database, who, made, to=full)
    elsewhere = appointment(operator, plan(operator))
    for to in (elsewhere, uuid4()):
        with pytest.raises(UnknownError):
            move(database, who, made, to=to)
    with pytest.raises(UnknownError):
        move(database, other, made, to=full)
    with pytest.raises(BadInputError):
        move(database, who, made, starts=(NOON,))
    assert taken(database, first, full) == [1, 1]


def test_a_subscription_is_moved_to_other_times_some_of_which_were_its_own(
    operator: Database, database: Database, whose: Consultant
) -> None:
    private = plan(operator, "subscription", of=whose, times=3)
    who = customer(operator)
    week = tuple(NOON + n * HOUR for n in range(3))
    made = begin(database, of=who, plan=private, starts=week)
    pay(database, made.payment)
    appointment(operator, plan(operator, of=whose), starts=(NOON + 4 * HOUR,))
    with pytest.raises(TimeTakenError):
        move(database, who, made, starts=tuple(at + 2 * HOUR for at in week))
    at = move(database, who, made, starts=tuple(at + HOUR for at in week))
    statement = "SELECT starts_at FROM slots WHERE appointment = :id AND confirmed ORDER BY 1"
    found = [row.starts_at for row in rows(database, statement, id=at)]
    assert found == [one + HOUR for one in week]
    [work] = rows(database, "SELECT due_at FROM work WHERE subject = :id", id=at)
    assert abs(work.due_at - (NOON + 4 * HOUR)) < timedelta(seconds=5)


def test_who_is_taken_out_frees_every_place_they_held_in_one_transaction(
    operator: Database, database: Database, webinar: UUID, whose: Consultant
) -> None:
    """Whoever held N places frees N."""
    at = appointment(operator, webinar, capacity=9)
    who, other = customer(operator), customer(operator)
    made = [begin(database, str(n), of=who, plan=webinar, at=at, places=n) for n in (1, 3)]
    stays = begin(database, of=other, plan=webinar, at=at)
    pay(database, stays.payment, *[one.payment for one in made])
    done = remove(database, whose, at, who)
    assert (done.places_released, set(done.bookings)) == (4, {one.booking for one in made})
    assert taken(database, at) == [1]
    assert {state(database, "bookings", one.booking) for one in made} == {"CANCELLED"}
    with pytest.raises(UnknownError):
        remove(database, whose, at, who)
    with pytest.raises(UnknownError):
        remove(database, consultant(operator), at, other)
    with pytest.raises(NotOpenError):
        move(database, who, made[0], to=at)


def test_a_private_appointment_goes_with_its_only_participant_and_its_time_is_free(
    operator: Database, database: Database, whose: Consultant
) -> None:
    private, who = plan(operator, "consultation", of=whose), customer(operator)
    made = begin(database, of=who, plan=private, starts=(NOON,))
    pay(database, made.payment)
    [at] = rows(database, "SELECT id FROM appointments")
    remove(database, whose, at.id, who)
    assert everything(database, made)["appointment"] == "CANCELLED"
    assert rows(database, "SELECT FROM work") == []
    begin(database, "again", of=who, plan=private, starts=(NOON,))


def test_participants_are_distinct_customers_with_a_confirmed_seat_the_host_excluded(
    operator: Database, database: Database, webinar: UUID, whose: Consultant
) -> None:
    at = appointment(operator, webinar, capacity=9)
    who, waits = customer(operator), customer(operator)
    made = [begin(database, str(n), of=who, plan=webinar, at=at) for n in range(2)]
    begin(database, of=waits, plan=webinar, at=at)
    pay(database, *[one.payment for one in made])
    owner = ConsultantOwner(id=whose.id)
    with database.begin() as tx:
        roster = participants(tx, owner, at)
    assert [(row.id, row.places) for row in roster.customers] == [(who, 2)]
    assert not roster.truncated
    stranger = ConsultantOwner(id=consultant(operator).id)
    with database.begin() as tx, pytest.raises(UnknownError):
        participants(tx, stranger, at)


def test_of_candidate_times_those_are_free_that_nothing_confirmed_or_held_overlaps(
    operator: Database, database: Database, whose: Consultant
) -> None:
    private, who = plan(operator, "consultation", of=whose), customer(operator)
    appointment(operator, plan(operator, of=whose), starts=(NOON,))
    held = begin(database, of=who, plan=private, starts=(NOON + 2 * HOUR,))
    asked = [NOON + n * HOUR / 2 for n in range(-3, 7)]

    def look() -> list[datetime]:
        return database.transact(lambda tx: free_times(tx, private, asked))

    assert look() == [NOON - 3 * HOUR / 2, NOON - HOUR, NOON + HOUR, NOON + 3 * HOUR]
    cancel(database, who, held.payment)
    assert NOON + 2 * HOUR in look()
    with database.begin() as tx, pytest.raises(BadInputError):
        free_times(tx, private, [NOON] * 501)
    with database.begin() as tx, pytest.raises(UnknownError):
        free_times(tx, uuid4(), [NOON])


def test_a_look_that_is_old_books_nothing_twice(
    operator: Database, database: Database, whose: Consultant, webinar: UUID
) -> None:
    """Availability may be fifteen seconds old: whoever begins a checkout is looked at again under lock."""
    private = plan(operator, "consultation", of=whose)
    with database.begin() as tx:
        [seen] = free_times(tx, private, [NOON])
    begin(database, of=customer(operator), plan=private, starts=(NOON,))
    with pytest.raises(TimeTakenError):
        begin(database, of=customer(operator), plan=private, starts=(seen,))

    at = appointment(operator, webinar, starts=(NOON + DAY,))
    with database.begin() as tx:
        [open_] = open_appointments(tx, webinar)
    assert (open_.id, open_.free) == (at, 1)
    begin(database, of=customer(operator), plan=webinar, at=at)
    with pytest.raises(SoldOutError):
        begin(database, of=customer(operator), plan=webinar, at=open_.id)


def test_the_next_appointments_of_a_plan_are_told_with_their_free_places(
    operator: Database, database: Database, webinar: UUID
) -> None:
    appointment(operator, webinar, starts=(NOON.replace(year=2020),))
    ids = [appointment(operator, webinar, capacity=3, starts=(NOON + n * DAY,)) for n in range(3)]
    begin(database, of=customer(operator), plan=webinar, at=ids[1], places=2)
    with database.begin() as tx:
        found = open_appointments(tx, webinar)
        later = open_appointments(tx, webinar, after=NOON)
    assert [(row.id, row.free) for row in found] == [(ids[0], 3), (ids[1], 1), (ids[2], 3)]
    assert [row.id for row in later] == ids[1:]
