"""`bookings …` that change something: for whom, with what it says, and what it refuses."""

from uuid import uuid4

from db import changes
from tests.booking import HOUR, NOON, appointment, begin, consultant, customer, pay, plan, state
from tests.workers.cli.conftest import Line


def noted(bursar: Line, subject: object) -> list[str]:
    """What was changed about something, newest first."""
    with bursar.database.begin() as tx:
        return [row.what for row in changes.listing(tx, subject=str(subject))]


def test_a_checkout_is_cancelled_once_and_by_its_customer_alone(bursar: Line) -> None:
    webinar, who = plan(bursar.database), customer(bursar.database)
    other = customer(bursar.database)
    at = appointment(bursar.database, webinar, capacity=3)
    made = begin(bursar.database, of=who, plan=webinar, at=at, places=2)
    cancel = ("bookings", "cancel", str(made.payment), "--why", "she called", "--customer")
    assert bursar(*cancel, str(other)).code == 2
    assert noted(bursar, made.payment) == []
    said = bursar(*cancel, f"Mira{who}")
    assert (said.code, "2 places" in said.out) == (0, True)
    assert state(bursar.database, "payments", made.payment) == "EXPIRED"
    assert bursar(*cancel, str(who)).code == 1
    assert noted(bursar, made.payment) == ["booking.cancel"]


def test_a_booking_is_moved_and_its_participant_taken_out(bursar: Line) -> None:
    whose = consultant(bursar.database)
    webinar, who = plan(bursar.database, of=whose), customer(bursar.database)
    first = appointment(bursar.database, webinar)
    second = appointment(bursar.database, webinar, starts=(NOON + 2 * HOUR,))
    made = begin(bursar.database, of=who, plan=webinar, at=first)
    pay(bursar.database, made.payment)
    move = ("bookings", "reschedule", str(made.booking), "--customer", str(who), "--why", "ill")
    assert bursar(*move).code == 2
    assert bursar(*move, "--to", str(second)).code == 0
    host = ("--consultant", f"consultant {whose.id}")
    listed = bursar("bookings", "participants", str(second), *host, "--json").json
    assert [(row["id"], row["places"]) for row in listed] == [(str(who), 1)]
    remove = ("bookings", "remove", str(second), str(who), "--why", "asked")
    assert bursar(*remove, "--consultant", str(consultant(bursar.database).id)).code == 2
    assert bursar(*remove, *host).code == 0
    assert bursar("bookings", "participants", str(second), *host, "--json").json == []
    assert noted(bursar, made.booking) == ["booking.reschedule"]
    assert noted(bursar, second) == ["booking.remove"]


def test_a_private_booking_is_moved_to_a_time(bursar: Line) -> None:
    talk, who = plan(bursar.database, "consultation"), customer(bursar.database)
    made = begin(bursar.database, of=who, plan=talk, starts=(NOON,))
    pay(bursar.database, made.payment)
    move = ("bookings", "reschedule", str(made.booking), "--customer", str(who), "--why", "x")
    assert bursar(*move, "--at", "2031-03-05 15:00").code == 2
    assert bursar(*move, "--at", "2031-03-05T15:00Z").code == 0


def test_what_is_no_id_is_told_and_nothing_is_there(bursar: Line) -> None:
    who = str(customer(bursar.database))
    for payment, rule in (("7", "must be an id"), (str(uuid4()), "there is no payment")):
        said = bursar("bookings", "cancel", payment, "--customer", who, "--why", "x")
        assert (said.code, rule in said.err) == (2, True)


def test_a_customers_word_has_the_gateway_asked_and_moves_nothing(bursar: Line) -> None:
    webinar, who = plan(bursar.database), customer(bursar.database)
    at = appointment(bursar.database, webinar)
    made = begin(bursar.database, of=who, plan=webinar, at=at)
    confirm = ("bookings", "confirm", str(made.payment), "--why", "she says so", "--customer")
    assert bursar(*confirm, str(customer(bursar.database))).code == 2
    said = bursar(*confirm, str(who))
    assert (said.code, f"{made.payment} is PENDING" in said.out) == (0, True)
    assert noted(bursar, made.payment) == ["booking.confirm"]


def test_what_may_be_booked_is_listed(bursar: Line) -> None:
    whose = consultant(bursar.database)
    webinar, talk = plan(bursar.database, of=whose), plan(bursar.database, "consultation", of=whose)
    at = appointment(bursar.database, webinar, capacity=3)
    ask = ("bookings", "availability")
    [listed] = bursar(*ask, str(webinar), "--json").json
    assert (listed["id"], listed["free"]) == (str(at), 3)
    assert bursar(*ask, str(webinar), "--after", "2031-03-05T12:00Z", "--json").json == []
    times = ("--at", "2031-03-05T12:30Z", "--at", "2031-03-05T13:00Z")
    free = bursar(*ask, str(talk), *times, "--json").json
    assert [row["starts_at"] for row in free] == ["2031-03-05T13:00:00.000Z"]
    assert bursar(*ask, str(talk), "--at", "2031-03-05 13:00").code == 2
    assert bursar(*ask, "none").code == 2


def test_wishes_are_kept_decided_on_and_withdrawn_by_their_own_people(bursar: Line) -> None:
    whose, who = consultant(bursar.database), customer(bursar.database)
    webinar = plan(bursar.database, of=whose)
    ask = ("bookings", "request", str(webinar), "--customer", f"Mira{who}", "--why", "she wrote")
    one, other = (bursar(*ask, "--key", key, "--json").json["booking"] for key in "ab")
    assert bursar(*ask, "--key", "a", "--json").json["booking"] == one
    host, mine = ("--consultant", f"consultant {whose.id}"), ("--customer", str(who))
    because = ("--why", "as she said")
    stranger = ("--consultant", str(consultant(bursar.database).id))
    assert bursar("bookings", "approve", one, other, *stranger, *because).code == 2
    assert bursar("bookings", "approve", one, *host, *because).code == 0
    assert bursar("bookings", "reject", one, other, *host, *because).code == 1
    said = bursar("bookings", "reject", other, *host, *because, "--json").json
    assert [(row["booking"], row["state"]) for row in said] == [(other, "REJECTED")]
    assert bursar("bookings", "withdraw", one, *mine, *because).code == 0
    assert noted(bursar, one) == ["booking.withdraw", "booking.approve", "booking.request"]
    assert noted(bursar, other) == ["booking.reject", "booking.request"]
