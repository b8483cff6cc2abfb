"""The operations on bookings over HTTP: what each does, for whom, and what it is refused with."""

from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from db.engine import Database
from tests.booking import (
    HOUR,
    NOON,
    appointment,
    begin,
    consultant,
    customer,
    everything,
    pay,
    plan,
    state,
)
from tests.builders import change, rows
from tests.workers.web.calling import Shop, code

START: Final = "bookings.start_checkout"
SHOW: Final = "bookings.checkout"
CONFIRM: Final = "bookings.confirm_checkout"
CANCEL: Final = "bookings.cancel_pending_checkout"
RESCHEDULE: Final = "bookings.reschedule"
REMOVE: Final = "bookings.remove_participant"
PARTICIPANTS: Final = "bookings.participants"
FREE: Final = "bookings.free_times"
OPEN: Final = "bookings.open_appointments"


def test_a_checkout_is_begun_and_said_what_is_to_be_paid(
    asker: Shop, operator: Database, database: Database
) -> None:
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar, capacity=5)
    answer = asker.ask(START, actor=who, plan=webinar, appointment=at, places=2)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert (made["state"], made["amount_minor"], made["currency"]) == ("PENDING", 20_000, "INR")
    assert made["gateway_minor"] == 20_000
    [payment] = rows(database, "SELECT * FROM payments")
    assert (str(payment.id), payment.actor, payment.scope) == (
        made["payment"],
        str(who),
        "application:shop",
    )
    assert state(database, "orders", UUID(made["order"])) == "NEW"


def test_a_checkout_says_what_its_gateway_calls_the_order_once_it_is_made(
    asker: Shop, operator: Database, database: Database
) -> None:
    webinar, who = plan(operator), customer(operator)
    made = begin(database, of=who, plan=webinar, at=appointment(operator, webinar))
    answer = asker.ask(SHOW, actor=who, payment=made.payment)
    assert (answer.json()["gateway"], answer.json()["gateway_order"]) == (None, None)
    change(database, "UPDATE orders SET provider = 'razorpay', gateway_id = 'order_1'")
    answer = asker.ask(SHOW, actor=who, payment=made.payment)
    assert answer.json()["gateway_order"] == "order_1"
    foreign = asker.ask(SHOW, actor=customer(operator), payment=made.payment)
    missing = asker.ask(SHOW, actor=who, payment=uuid4())
    assert (foreign.status_code, missing.status_code) == (404, 404)


def test_people_are_called_as_the_application_calls_them(
    asker: Shop, operator: Database, database: Database
) -> None:
    whose = consultant(operator)
    webinar, who = plan(operator, of=whose), customer(operator)
    at = appointment(operator, webinar)
    answer = asker.ask(START, actor=f"Mira{who}", plan=webinar, appointment=at)
    assert answer.status_code == 200, answer.text
    [seat] = rows(database, "SELECT customer, appointment FROM seats")
    assert (seat.customer, seat.appointment) == (who, at)
    pay(database, UUID(answer.json()["payment"]))
    told = asker.ask(PARTICIPANTS, actor=f"consultant {whose.id}", appointment=at)
    assert told.json()["participants"][0]["external_id"] == f"Mira{who}"


def test_c07_c09_what_is_somebody_elses_is_answered_as_what_is_missing(
    asker: Shop, operator: Database, database: Database
) -> None:
    """Invariant 71: the same bytes; nobody learns that it is there. Also for whoever acts, and by any name."""
    whose = consultant(operator)
    webinar, who, other = plan(operator, of=whose), customer(operator), customer(operator)
    at = appointment(operator, webinar, capacity=5)
    made = begin(database, of=other, plan=webinar, at=at)
    pay(database, made.payment)
    mine = consultant(operator)
    foreign = [
        asker.ask(CANCEL, actor=who, payment=made.payment),
        asker.ask(RESCHEDULE, actor=who, booking=made.booking, appointment=at),
        asker.ask(PARTICIPANTS, actor=mine.id, appointment=at),
        asker.ask(REMOVE, actor=mine.id, appointment=at, customer=other),
    ]
    missing = [
        asker.ask(CANCEL, actor=who, payment=uuid4()),
        asker.ask(RESCHEDULE, actor=who, booking="none", appointment=at),
        asker.ask(PARTICIPANTS, actor=mine.id, appointment=uuid4()),
        asker.ask(REMOVE, actor=mine.id, appointment="none", customer=other),
        asker.ask(CANCEL, actor="nobody", payment=made.payment),
        asker.ask(PARTICIPANTS, actor=other, appointment=at),
    ]
    assert {code(a) for a in (*foreign, *missing)} == {(404, "not_found")}
    assert len({a.content for a in (*foreign, *missing)}) == 1
    assert everything(database, made)["seat"] == "CONFIRMED"


def test_a_booking_is_moved_and_a_participant_taken_out(
    asker: Shop, operator: Database, database: Database
) -> None:
    whose = consultant(operator)
    webinar, who = plan(operator, of=whose), customer(operator)
    first = appointment(operator, webinar, capacity=2)
    second = appointment(operator, webinar, capacity=2, starts=(NOON + 2 * HOUR,))
    made = begin(database, of=who, plan=webinar, at=first, places=2)
    pay(database, made.payment)
    moved = asker.ask(RESCHEDULE, actor=who, booking=made.booking, appointment=second)
    assert moved.json() == {"appointment": str(second)}
    told = asker.ask(PARTICIPANTS, actor=whose.id, appointment=second).json()
    assert [(p["customer"], p["places"]) for p in told["participants"]] == [(str(who), 2)]
    asked = {"actor": whose.id, "appointment": second, "customer": who}
    gone = asker.ask(REMOVE, "r", **asked)
    assert gone.json() == {"places_released": 2, "bookings": [str(made.booking)]}
    assert asker.ask(REMOVE, "r", **asked).content == gone.content
    assert code(asker.ask(REMOVE, **asked)) == (404, "not_found")
    assert asker.ask(PARTICIPANTS, actor=whose.id, appointment=second).json()["participants"] == []


def test_what_may_be_booked_is_told(asker: Shop, operator: Database, database: Database) -> None:
    whose, who = consultant(operator), customer(operator)
    talk, webinar = plan(operator, "consultation", of=whose), plan(operator, of=whose)
    appointment(operator, webinar, capacity=3)
    later = NOON + timedelta(hours=3)
    free = asker.ask(FREE, actor=who, plan=talk, candidates=[NOON.isoformat(), later.isoformat()])
    assert free.json() == {"free": [later.isoformat().replace("+00:00", "Z")]}
    [told] = asker.ask(OPEN, actor=who, plan=webinar).json()["appointments"]
    assert (told["capacity"], told["free"]) == (3, 3)
    assert asker.ask(OPEN, actor=who, plan=webinar, after=later.isoformat()).json() == {
        "appointments": []
    }
    assert asker.ask(START, actor=who, plan=talk, starts=[later.isoformat()]).status_code == 200


def test_rules_of_an_operation_are_told_as_those_of_its_body(
    asker: Shop, operator: Database
) -> None:
    who, webinar, talk = customer(operator), plan(operator), plan(operator, "consultation")
    at = appointment(operator, webinar, capacity=9)
    bodies: dict[str, dict[str, object]] = {
        "checkout": {"plan": webinar},
        "legs": {"plan": webinar, "appointment": at, "wallet_minor": 10_001},
        "starts": {"plan": talk, "starts": ["2001-01-01T00:00:00Z"]},
    }
    for field, body in bodies.items():
        answer = asker.ask(START, actor=who, **body)
        assert (code(answer), answer.json()["error"]["field"]) == ((422, "bad_input"), field)


def test_a_customer_who_paid_has_the_gateway_asked_at_once(
    asker: Shop, operator: Database, database: Database
) -> None:
    """Their word moves nothing: it says when to ask."""
    webinar, who = plan(operator), customer(operator)
    made = begin(database, of=who, plan=webinar, at=appointment(operator, webinar))
    change(
        database,
        """WITH opened AS (
             UPDATE orders SET state = 'OPEN', provider = 'razorpay', gateway_id = 'order_1' RETURNING id),
           told AS (INSERT INTO moves (kind, subject, source, target, actor)
                    SELECT 'order', id, 'NEW', 'OPEN', 'gateway' FROM opened)
           UPDATE work w SET job = 'bookings.ask_orders', due_at = clock_timestamp() + interval '30 minutes'
           FROM opened o WHERE w.subject = o.id""",
    )
    answer = asker.ask(CONFIRM, actor=who, payment=made.payment)
    assert (answer.status_code, answer.json()["state"]) == (200, "PENDING")
    due = "SELECT FROM work WHERE job = 'bookings.ask_orders' AND due_at <= clock_timestamp()"
    assert len(rows(database, due)) == 1
    assert asker.ask(CONFIRM, actor=customer(operator), payment=made.payment).status_code == 404
