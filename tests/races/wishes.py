"""Races about wishes: a consultant, a customer, a checkout and the end of its time meet; one of them has it."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from db.bookings.wishes import approve_bookings, withdraw_bookings
from domain.booking_errors import NotOpenError
from domain.bookings import EXPIRE_WISHES
from domain.owners import ConsultantOwner, CustomerOwner
from jobs.bookings.expire_wishes import ExpireWishes
from tests.booking import appointment, begin, consultant, customer, plan, wish
from tests.builders import change, hurry, owner, rows
from tests.races.bookings import does
from tests.races.explorer import Race
from tests.races.sides import Side
from tests.races.stage import Stage


def wished(stage: Stage) -> object:
    """A wish: whose it is, of whose plan, where it could be; and its booking."""
    whose, who = consultant(stage.operator), customer(stage.operator)
    webinar = plan(stage.operator, of=whose)
    at = appointment(stage.operator, webinar)
    return whose.id, who, webinar, at, wish(stage.operator, of=who, plan=webinar)


def overdue(stage: Stage) -> object:
    """The same, its time over."""
    given = wished(stage)
    with owner(stage.url) as database:
        change(database, "UPDATE bookings SET updated_at = updated_at - interval '8 days'")
        hurry(database, EXPIRE_WISHES)
    return given


def approves(stage: Stage) -> str:
    """Its consultant agrees."""
    whose, _, _, _, booking = stage.given
    agree = ConsultantOwner(id=whose)
    stage.worker.transact(lambda tx: approve_bookings(tx, agree, [booking]))
    return "APPROVED"


def withdraws(stage: Stage) -> str:
    """Its customer takes it back."""
    _, who, _, _, booking = stage.given
    mine = CustomerOwner(id=who)
    stage.worker.transact(lambda tx: withdraw_bookings(tx, mine, [booking]))
    return "CANCELLED"


def begins(stage: Stage) -> str:
    """Its customer begins a checkout of it."""
    _, who, webinar, at, booking = stage.given
    begin(stage.worker, of=who, plan=webinar, at=at, booking=booking)
    return "APPROVED_PENDING_PAYMENT"


def asks(stage: Stage) -> UUID:
    """A customer asks under one key."""
    _, who, webinar, _, _ = stage.given
    return wish(stage.worker, "another", of=who, plan=webinar)


def state_of(stage: Stage) -> str:
    """Where the wish is."""
    [row] = rows(stage.worker, "SELECT state FROM bookings")
    return str(row.state)


def withdrawn(stage: Stage, sides: Sequence[Side]) -> None:
    """What was withdrawn is approved by nobody after that; what was approved first is withdrawn all the same."""
    assert state_of(stage) == sides[1].result == "CANCELLED"
    assert (sides[0].result == "APPROVED") != isinstance(sides[0].error, NotOpenError)


def ended_or_begun(stage: Stage, sides: Sequence[Side]) -> None:
    """A checkout in the last moment has it, whatever its time; else it ended, and nothing is held."""
    has_begun = sides[1].error is None
    assert state_of(stage) == ("APPROVED_PENDING_PAYMENT" if has_begun else "EXPIRED")
    assert sides[0].result == (0 if has_begun else 1)
    [row] = rows(stage.worker, "SELECT taken FROM appointments")
    assert row.taken == has_begun


def asked_once(stage: Stage, sides: Sequence[Side]) -> None:
    """One wish, told to both."""
    assert sides[0].result == sides[1].result
    assert len(rows(stage.worker, "SELECT FROM bookings WHERE key = 'another'")) == 1


ALL: Final = (
    Race(
        name="wish approve/withdraw",
        prepare=wished,
        sides=(approves, withdraws),
        check=withdrawn,
        errors=(NotOpenError,),
    ),
    Race(
        name="wish end/begin",
        prepare=overdue,
        sides=(does(ExpireWishes(), 7), begins),
        check=ended_or_begun,
        errors=(NotOpenError,),
    ),
    Race(name="wish ask/ask", prepare=wished, sides=(asks, asks), check=asked_once),
)
