"""What was captured is scheduled, or an orphan that is owed back; never both, never neither."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from db.bookings.expire import fail
from db.engine import Database
from domain.checkouts import Receipt
from domain.earnings import HOLDS, EarningKind
from domain.ledger import AccountKind
from domain.payments import payee_share
from tests.booking import (
    NOON,
    PRICE,
    appointment,
    balance,
    begin,
    cancel,
    consultant,
    customer,
    everything,
    fill,
    pay,
    plan,
    slot,
    state,
)
from tests.builders import rows

KINDS = ["consultation", "subscription", "webinar", "class"]
OWED = AccountKind.REFUNDS_PAYABLE


@pytest.mark.parametrize("kind", KINDS)
def test_a_capture_schedules_the_booking_confirms_its_seat_and_owes_the_consultant_their_share(
    operator: Database, database: Database, kind: str
) -> None:
    whose, who = consultant(operator), customer(operator)
    offer = plan(operator, kind, of=whose, price=9_999)
    fill(operator, who, 1_000)
    private = kind in KINDS[:2]
    asked = {"starts": (NOON,)} if private else {"at": appointment(operator, offer)}
    made = begin(database, of=who, plan=offer, wallet_minor=1_000, **asked)
    assert pay(database, made.payment) == ["scheduled"]
    assert everything(database, made) == {
        "payment": "SUCCEEDED",
        "booking": "SCHEDULED",
        "seat": "CONFIRMED",
        "appointment": "PLANNED",
        "taken": 1,
        "order": "CLOSED",
        "orphaned": False,
    }
    assert [row.job for row in rows(database, "SELECT job FROM work")] == ["bookings.complete"]
    assert [row.confirmed for row in rows(database, "SELECT confirmed FROM slots")] == [True]
    [earning] = rows(database, "SELECT *, ready_at - earned_at AS held FROM earnings")
    assert (earning.payee, earning.kind, earning.gross) == (whose.id, kind, 9_999)
    assert earning.held == HOLDS[EarningKind(kind)]
    assert earning.amount == payee_share(9_999) == 8_000
    assert balance(database, AccountKind.PAYEE_PAYABLE, whose.id) == 8_000
    assert balance(database, AccountKind.PLATFORM_REVENUE) == 1_999
    assert balance(database, AccountKind.GATEWAY_CLEARING) == -8_999


def test_said_again_it_changes_nothing(operator: Database, database: Database) -> None:
    webinar = plan(operator)
    made = begin(database, of=customer(operator), plan=webinar, at=appointment(operator, webinar))
    assert pay(database, made.payment) == ["scheduled"]
    assert pay(database, made.payment) == ["already"]
    assert len(rows(database, "SELECT FROM earnings")) == 1


def test_a_capture_after_the_cancellation_is_an_orphan_and_owed_back(
    operator: Database, database: Database
) -> None:
    """Invariant 68, the documented orphan: the seat stays free, what the gateway took is owed."""
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar)
    fill(operator, who, 1_000)
    made = begin(database, of=who, plan=webinar, at=at, wallet_minor=1_000)
    cancel(database, who, made.payment)
    assert pay(database, made.payment) == ["orphaned"]
    assert everything(database, made) == {
        "payment": "SUCCEEDED",
        "booking": "CANCELLED",
        "seat": "RELEASED",
        "appointment": "PLANNED",
        "taken": 0,
        "order": "CLOSED",
        "orphaned": True,
    }
    assert balance(database, OWED) == PRICE - 1_000
    assert balance(database, AccountKind.WALLET, who) == 1_000
    assert rows(database, "SELECT FROM earnings") == []
    assert pay(database, made.payment) == ["already"]


def test_a_capture_after_a_refusal_is_an_orphan_too(operator: Database, database: Database) -> None:
    webinar, who = plan(operator), customer(operator)
    made = begin(database, of=who, plan=webinar, at=appointment(operator, webinar))
    refused = database.transact(lambda tx: fail(tx, [made.payment], run=None, actor="gateway"))
    assert refused == [made.payment]
    stays = everything(database, made)
    assert (stays["payment"], stays["booking"]) == ("FAILED", "APPROVED_PENDING_PAYMENT")
    again = begin(
        database,
        "again",
        of=who,
        plan=webinar,
        at=seat_of(database, made.booking),
        booking=made.booking,
    )
    assert pay(database, made.payment) == ["orphaned"]
    assert pay(database, again.payment) == ["scheduled"]
    assert balance(database, OWED) == PRICE


def test_a_booking_whose_only_checkout_was_refused_ends_with_the_capture_of_it(
    operator: Database, database: Database
) -> None:
    """TRAP: nothing waits for its end any more."""
    _, made, _ = refused(operator, database, "webinar")
    assert pay(database, made.payment) == ["orphaned"]
    assert state(database, "bookings", made.booking) == "CANCELLED"


def refused(
    operator: Database, database: Database, kind: str
) -> tuple[UUID, Receipt, dict[str, Any]]:
    """A checkout that the gateway refused, whose it was, and what another one of its booking asks for: elsewhere."""
    whose, who = consultant(operator), customer(operator)
    offer = plan(operator, kind, of=whose)
    later = NOON + timedelta(days=1)
    there: tuple[dict[str, Any], dict[str, Any]] = ({"starts": (NOON,)}, {"starts": (NOON,)})
    if kind not in KINDS[:2]:
        dates = [appointment(operator, offer, starts=(at,)) for at in (NOON, later)]
        there = ({"at": dates[0]}, {"at": dates[1]})
    made = begin(database, of=who, plan=offer, **there[0])
    database.transact(lambda tx: fail(tx, [made.payment], run=None, actor="gateway"))
    return who, made, {"of": who, "plan": offer, "booking": made.booking} | there[1]


def standing(database: Database, booking: UUID) -> list[tuple[str, str]]:
    """Where a booking's seats are, in the order in which they were made, each with its appointment."""
    statement = """SELECT s.state, a.state AS appointment FROM seats s JOIN appointments a ON a.id = s.appointment
                   WHERE s.booking = :id ORDER BY s.created_at"""
    return [(row.state, row.appointment) for row in rows(database, statement, id=booking)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_checkout_of_a_booking_has_the_seat_that_it_holds(
    operator: Database, database: Database, kind: str
) -> None:
    """TRAP: the seat that the first checkout left behind is released, and says nothing about the second."""
    _, made, asked = refused(operator, database, kind)
    again = begin(database, "again", **asked)
    assert pay(database, again.payment) == ["scheduled"]
    assert state(database, "bookings", made.booking) == "SCHEDULED"
    left = "CANCELLED" if kind in KINDS[:2] else "PLANNED"
    assert standing(database, made.booking) == [("RELEASED", left), ("CONFIRMED", "PLANNED")]
    assert len(rows(database, "SELECT FROM earnings")) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_checkout_that_a_wallet_pays_wholly_has_its_seat_at_once(
    operator: Database, database: Database, kind: str
) -> None:
    """TRAP: nobody is told SUCCEEDED, with an empty wallet, of a booking that is CANCELLED."""
    who, made, asked = refused(operator, database, kind)
    fill(operator, who, PRICE)
    again = begin(database, "again", wallet_minor=PRICE, **asked)
    assert (again.state, balance(database, AccountKind.WALLET, who)) == ("SUCCEEDED", 0)
    assert state(database, "bookings", made.booking) == "SCHEDULED"
    assert standing(database, made.booking)[1] == ("CONFIRMED", "PLANNED")


def seat_of(database: Database, booking: UUID) -> UUID:
    """The appointment that a booking has its seat at."""
    [row] = rows(database, "SELECT appointment FROM seats WHERE booking = :id", id=booking)
    id_: UUID = row.appointment
    return id_


def test_of_a_private_checkout_whose_time_was_taken_the_capture_is_an_orphan(
    operator: Database, database: Database
) -> None:
    """What was published into a time that a checkout holds wins: a tentative slot excludes nothing."""
    whose, who = consultant(operator), customer(operator)
    fill(operator, who, 1_000)
    private = plan(operator, "consultation", of=whose)
    made = begin(database, of=who, plan=private, starts=(NOON,), wallet_minor=1_000)
    appointment(operator, plan(operator, of=whose))
    assert pay(database, made.payment) == ["orphaned"]
    ends = everything(database, made)
    assert (ends["booking"], ends["seat"], ends["appointment"]) == (
        "CANCELLED",
        "RELEASED",
        "CANCELLED",
    )
    assert balance(database, OWED) == PRICE


def test_of_two_that_hold_one_time_the_first_of_a_set_has_it(
    operator: Database, database: Database
) -> None:
    whose = consultant(operator)
    private = plan(operator, "consultation", of=whose)
    late = NOON.replace(hour=20)
    one = begin(database, "1", of=customer(operator), plan=private, starts=(NOON,))
    two = begin(database, "2", of=customer(operator), plan=private, starts=(late,))
    with operator.begin() as tx:
        slot(tx, seat_of(database, one.booking), late, confirmed=False)
    assert sorted(pay(database, one.payment, two.payment)) == ["orphaned", "scheduled"]


def test_a_set_is_captured_together(operator: Database, database: Database) -> None:
    webinar = plan(operator)
    at = appointment(operator, webinar, capacity=9)
    made = [begin(database, of=customer(operator), plan=webinar, at=at) for _ in range(9)]
    assert pay(database, *[one.payment for one in made]) == ["scheduled"] * 9
    assert balance(database, AccountKind.PLATFORM_REVENUE) == 9 * PRICE // 5
