"""The operations on wishes over HTTP: asked for, decided on by whose they are, then paid for."""

from typing import Final

from db.engine import Database
from tests.booking import appointment, consultant, customer, plan, state
from tests.workers.web.calling import Shop, code

REQUEST: Final = "bookings.request_booking"
APPROVE: Final = "bookings.approve_bookings"
REJECT: Final = "bookings.reject_bookings"
WITHDRAW: Final = "bookings.withdraw_bookings"


def test_a_wish_is_asked_for_once_approved_and_paid_for(
    asker: Shop, operator: Database, database: Database
) -> None:
    whose, who = consultant(operator), customer(operator)
    webinar = plan(operator, of=whose)
    asked = asker.ask(REQUEST, "w", actor=who, plan=webinar)
    assert asked.status_code == 200, asked.text
    assert asker.ask(REQUEST, "w", actor=who, plan=webinar).content == asked.content
    wish = asked.json()
    assert (wish["state"], wish["until"] is None) == ("PENDING", False)
    told = asker.ask(APPROVE, actor=whose.id, bookings=[wish["booking"]]).json()
    assert [one["state"] for one in told["bookings"]] == ["APPROVED"]
    at = appointment(operator, webinar)
    start = {"actor": who, "plan": webinar, "appointment": at, "booking": wish["booking"]}
    made = asker.ask("bookings.start_checkout", **start).json()
    assert made["booking"] == wish["booking"]
    late = asker.ask(WITHDRAW, actor=who, bookings=[wish["booking"]])
    assert code(late) == (409, "not_open")


def test_a_wish_is_rejected_or_withdrawn_by_whose_it_is_alone(
    asker: Shop, operator: Database, database: Database
) -> None:
    """Invariant 71: somebody else's is answered as what is missing."""
    whose, who = consultant(operator), customer(operator)
    webinar = plan(operator, of=whose)
    one, other = (asker.ask(REQUEST, actor=who, plan=webinar).json()["booking"] for _ in range(2))
    foreign = asker.ask(REJECT, actor=consultant(operator).id, bookings=[one])
    missing = asker.ask(REJECT, actor=whose.id, bookings=[one, "none"])
    assert code(foreign) == code(missing) == (404, "not_found")
    assert foreign.content == missing.content
    assert asker.ask(REJECT, actor=whose.id, bookings=[one]).status_code == 200
    assert asker.ask(WITHDRAW, actor=who, bookings=[other]).status_code == 200
    assert [state(database, "bookings", id_) for id_ in (one, other)] == ["REJECTED", "CANCELLED"]
    assert asker.ask(APPROVE, actor=whose.id, bookings=[]).status_code == 422
