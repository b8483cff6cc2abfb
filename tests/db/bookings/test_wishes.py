"""Wishes are asked for, approved, rejected and withdrawn: each by whose it is, all of a set or nothing."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from db.bookings.expire import fail
from db.bookings.names import bookings_of
from db.bookings.request import request_booking
from db.bookings.wishes import approve_bookings, reject_bookings, withdraw_bookings
from db.clock import now
from db.engine import Database
from domain.booking_errors import KeyReusedError, NotOpenError, UnknownError
from domain.bookings import EXPIRE_WISHES, WISH_FOR
from domain.checkouts import Request
from domain.owners import ConsultantOwner, CustomerOwner
from domain.wishes import SCOPE, Wish, Wished
from tests.booking import (
    Consultant,
    appointment,
    begin,
    cancel,
    consultant,
    customer,
    offering,
    plan,
    state,
    wish,
)
from tests.builders import assert_sound, change, owner, rows


@pytest.fixture
def host(operator: Database) -> Consultant:
    """Who decides."""
    return consultant(operator)


def approve(database: Database, host: Consultant, *wishes: UUID) -> list[Wished]:
    whose = ConsultantOwner(id=host.id)
    return database.transact(lambda tx: approve_bookings(tx, whose, wishes))


def reject(database: Database, host: Consultant, *wishes: UUID) -> list[Wished]:
    whose = ConsultantOwner(id=host.id)
    return database.transact(lambda tx: reject_bookings(tx, whose, wishes))


def withdraw(database: Database, who: UUID, *wishes: UUID) -> list[Wished]:
    mine = CustomerOwner(id=who)
    return database.transact(lambda tx: withdraw_bookings(tx, mine, wishes))


def retire(url: str) -> None:
    """No plan is offered any more."""
    with owner(url) as database:
        change(database, "UPDATE plans SET active = false")


def states(database: Database, wishes: Sequence[UUID]) -> list[str]:
    return [state(database, "bookings", one) for one in wishes]


def test_one_key_is_one_wish_for_ever_and_with_another_request_an_error(
    operator: Database, database: Database, database_url: str
) -> None:
    who, webinar = customer(operator), plan(operator)
    request = Request(scope=SCOPE, actor=str(who), key="k")
    asked = Wish(customer=CustomerOwner(id=who), plan=webinar)
    first = database.transact(lambda tx: request_booking(tx, request, asked))
    retire(database_url)
    again = database.transact(lambda tx: request_booking(tx, request, asked))
    assert (again.booking, again.state, again.until) == (first.booking, "PENDING", first.until)
    assert (first.replayed, again.replayed) == (False, True)
    other = Wish(customer=CustomerOwner(id=who), plan=plan(operator))
    with pytest.raises(KeyReusedError):
        database.transact(lambda tx: request_booking(tx, request, other))
    assert len(rows(database, "SELECT FROM bookings")) == 1
    assert_sound(operator)


def test_nobody_asks_for_what_is_not_offered_or_is_their_own(
    operator: Database, database: Database, database_url: str
) -> None:
    who, webinar = customer(operator), plan(operator)
    own = plan(operator, of=offering(operator, who))
    with pytest.raises(NotOpenError):
        wish(database, of=who, plan=own)
    with pytest.raises(UnknownError):
        wish(database, of=uuid4(), plan=webinar)
    retire(database_url)
    with pytest.raises(UnknownError):
        wish(database, of=who, plan=webinar)
    assert rows(database, "SELECT FROM bookings") == []


def test_wishes_are_approved_as_a_set_and_each_then_waits_for_its_checkout(
    operator: Database, database: Database, host: Consultant
) -> None:
    offer = plan(operator, of=host)
    asked = [wish(database, of=customer(operator), plan=offer) for _ in range(3)]
    told = approve(database, host, *asked)
    assert [one.booking for one in told] == sorted(asked)
    assert {one.state for one in told} == {"APPROVED"}
    with database.begin() as tx:
        at = now(tx)
    ends = [one.until for one in told if one.until is not None]
    assert all(timedelta(0) < at + WISH_FOR - end < timedelta(hours=1) for end in ends)
    waits = rows(database, "SELECT job FROM work WHERE subject = ANY(:ids)", ids=asked)
    assert [row.job for row in waits] == [EXPIRE_WISHES] * len(asked) == [EXPIRE_WISHES] * len(ends)
    [by] = rows(database, "SELECT DISTINCT actor FROM moves WHERE kind = 'booking'")
    assert by.actor == f"consultant:{host.id}"
    assert_sound(operator)


def test_of_a_set_that_holds_one_that_is_decided_or_somebody_elses_nothing_changes(
    operator: Database, database: Database, host: Consultant
) -> None:
    """TRAP: what is another's is missing, by the same words: nobody learns what others are asked for."""
    who, offer = customer(operator), plan(operator, of=host)
    mine, done = (wish(database, key, of=who, plan=offer) for key in "ab")
    foreign = wish(operator, "c")
    reject(database, host, done)
    for decide in (approve, reject):
        with pytest.raises(UnknownError, match=f"there is no booking {foreign}"):
            decide(database, host, mine, foreign)
        with pytest.raises(UnknownError, match="there is no booking"):
            decide(database, host, mine, uuid4())
        with pytest.raises(NotOpenError, match=f"booking {done} is REJECTED"):
            decide(database, host, mine, done)
    with pytest.raises(UnknownError):
        withdraw(database, customer(operator), mine)
    with pytest.raises(NotOpenError):
        withdraw(database, who, mine, done)
    assert states(database, [mine, done, foreign]) == ["PENDING", "REJECTED", "PENDING"]
    assert_sound(operator)


def test_what_was_approved_is_withdrawn_by_its_customer_and_rejected_no_more(
    operator: Database, database: Database, host: Consultant
) -> None:
    who, offer = customer(operator), plan(operator, of=host)
    asked, approved = (wish(database, key, of=who, plan=offer) for key in "ab")
    approve(database, host, approved)
    with pytest.raises(NotOpenError, match="is APPROVED"):
        reject(database, host, approved)
    told = withdraw(database, who, asked, approved)
    assert [(one.state, one.until) for one in told] == [("CANCELLED", None)] * 2
    assert rows(database, "SELECT FROM work WHERE job = :job", job=EXPIRE_WISHES) == []
    assert_sound(operator)


@pytest.mark.parametrize(("word", "end"), [("reject", "REJECTED"), ("withdraw", "CANCELLED")])
def test_while_a_checkout_is_under_way_it_is_nobodys_word_and_once_that_was_refused_it_is(
    operator: Database, database: Database, host: Consultant, word: str, end: str
) -> None:
    """TRAP: the refused payment waits for its day all the same, and must not end the booking a second time."""
    who, offer = customer(operator), plan(operator, of=host)
    asked = wish(database, of=who, plan=offer)
    approve(database, host, asked)
    at = appointment(operator, offer)
    made = begin(database, of=who, plan=offer, at=at, booking=asked)

    def decide() -> list[Wished]:
        if word == "reject":
            return reject(database, host, asked)
        return withdraw(database, who, asked)

    with pytest.raises(NotOpenError, match="has a checkout"):
        decide()
    database.transact(lambda tx: fail(tx, [made.payment], run=None, actor="gateway"))
    [told] = decide()
    assert (told.state, told.until) == (end, None)
    assert_sound(operator)
    with pytest.raises(NotOpenError):
        begin(database, "again", of=who, plan=offer, at=at, booking=asked)


def test_a_wish_that_is_being_paid_for_is_cancelled_with_its_checkout(
    operator: Database, database: Database, host: Consultant
) -> None:
    who, offer = customer(operator), plan(operator, of=host)
    asked = wish(database, of=who, plan=offer)
    made = begin(database, of=who, plan=offer, at=appointment(operator, offer), booking=asked)
    cancel(database, who, made.payment)
    assert states(database, [asked]) == ["CANCELLED"]
    with pytest.raises(NotOpenError):
        withdraw(database, who, asked)
    assert_sound(operator)


def test_bookings_are_known_by_what_others_call_them_or_by_their_ids(
    operator: Database, database: Database, database_url: str
) -> None:
    one, other = (wish(operator, key) for key in "ab")
    with owner(database_url) as outside:
        change(outside, "UPDATE bookings SET external_id = 'W-1' WHERE id = :id", id=one)
    with database.begin() as tx:
        assert bookings_of(tx, ["W-1", str(other)]) == [one, other]
        with pytest.raises(UnknownError, match="there is no booking W-2"):
            bookings_of(tx, ["W-1", "W-2"])
