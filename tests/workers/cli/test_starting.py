"""`bookings start` and `organisations …`: a checkout from the shell, whose wallet pays it, and what is told of it."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from db.engine import Database
from tests.booking import NOON, appointment, customer, fill, organisation, pay, plan, state
from tests.builders import owner
from tests.operating import query
from tests.workers.cli.conftest import Line

WHY = ("--why", "she called")


@pytest.fixture
def outside(bursar: Line) -> Iterator[Database]:
    with owner(bursar.database.options.url) as made:
        yield made


def test_a_checkout_is_begun_once_under_its_key_and_noted(bursar: Line) -> None:
    webinar, who = plan(bursar.database), customer(bursar.database)
    at = appointment(bursar.database, webinar, capacity=3)
    fill(bursar.database, who, 1_000)
    words = (
        "bookings",
        "start",
        str(webinar),
        "--customer",
        f"Mira{who}",
        "--appointment",
        str(at),
    )
    paid = ("--places", "2", "--wallet", "7.50", "--key", "k", *WHY, "--json")
    first, again = bursar(*words, *paid), bursar(*words, *paid)
    assert first.code == 0, first.err
    assert (first.json["amount_minor"], first.json["gateway_minor"]) == (20_000, 19_250)
    assert (again.json["payment"], again.json["replayed"]) == (first.json["payment"], True)
    noted = query(bursar.database, "SELECT what, subject, why FROM changes")
    assert [tuple(row) for row in noted] == [("booking.start", first.json["booking"], "she called")]
    other = bursar(*words, "--places", "1", "--key", "k", *WHY)
    assert (other.code, "came with another request before" in other.err) == (1, True)


def test_a_private_plan_takes_times(bursar: Line) -> None:
    talk, who = plan(bursar.database, "consultation"), customer(bursar.database)
    words = ("bookings", "start", str(talk), "--customer", str(who), "--key", "k", *WHY)
    assert bursar(*words).code == 2
    assert bursar(*words, "--at", "2031-03-05 12:00").code == 2
    assert bursar(*words, "--at", NOON.isoformat(), "--wallet", "1.234").code == 2
    assert bursar(*words, "--at", NOON.isoformat()).code == 0


def test_what_a_wallet_lacks_or_nobody_knows_changes_nothing(bursar: Line) -> None:
    webinar, who = plan(bursar.database), customer(bursar.database)
    at = appointment(bursar.database, webinar)
    words = ("bookings", "start", str(webinar), "--customer", str(who), "--appointment", str(at))
    end = ("--key", "k", *WHY)
    assert bursar(*words, "--wallet", "1.00", *end).code == 1
    assert bursar(*words, "--wallet", "1.00", "--organisation", "Rao Ltd", *end).code == 2
    assert bursar(*words, "--organisation", str(who), *end).code == 2
    assert bursar(*words, "--booking", "B-9", *end).code == 2
    assert query(bursar.database, "SELECT FROM payments") == []
    assert query(bursar.database, "SELECT FROM changes") == []


def test_an_organisation_pays_and_its_log_says_for_whom(bursar: Line, outside: Database) -> None:
    webinar, who = plan(bursar.database), customer(bursar.database)
    at = appointment(bursar.database, webinar)
    whose = organisation(outside, who, amount=10_000)
    name = f"organisation {whose}"
    words = ("bookings", "start", str(webinar), "--customer", str(who), "--appointment", str(at))
    paid = ("--wallet", "100.00", "--organisation", name, "--key", "k", *WHY, "--json")
    made = bursar(*words, *paid)
    assert (made.code, made.json["state"]) == (0, "SUCCEEDED")
    newest, oldest = bursar("organisations", "log", name, "--json").json
    assert (newest["fact"], newest["minor"], newest["balance_minor"]) == (
        "checkout.held",
        -10_000,
        0,
    )
    assert newest["customer"] == f"Mira{who}"
    assert oldest["fact"] == "wallet.credited"
    [after] = bursar("organisations", "log", name, "--after", str(newest["entry"]), "--json").json
    assert after == oldest
    assert bursar("organisations", "log", "Nobody Ltd").code == 2
    [listed] = bursar("organisations", "list", "--json").json
    assert (listed["name"], listed["customers"], listed["balance_minor"]) == (name, 1, 0)


def test_why_tells_of_a_booking_what_an_operator_asks(bursar: Line) -> None:
    webinar, who = plan(bursar.database), customer(bursar.database)
    at = appointment(bursar.database, webinar)
    words = ("bookings", "start", str(webinar), "--customer", str(who), "--appointment", str(at))
    made = bursar(*words, "--key", "k", *WHY, "--json").json
    why = bursar("why", "booking", made["booking"], "--json").json
    assert why["reason"].startswith("it waits for a payment of 100.00 INR until 20")
    assert any(line.startswith("1 place at appointment") for line in why["evidence"])
    pay(bursar.database, UUID(made["payment"]))
    why = bursar("why", "booking", made["booking"], "--json").json
    assert why["reason"] == (
        f"it is paid, and its appointment {at} begins 2031-03-05 12:00:00 UTC and ends 2031-03-05 13:00:00 UTC"
    )
    assert state(bursar.database, "bookings", UUID(made["booking"])) == "SCHEDULED"
    assert bursar("why", "booking", "B-9").code == 2


def test_why_tells_who_ended_a_booking(bursar: Line) -> None:
    webinar, who = plan(bursar.database), customer(bursar.database)
    at = appointment(bursar.database, webinar)
    words = ("bookings", "start", str(webinar), "--customer", str(who), "--appointment", str(at))
    made = bursar(*words, "--key", "k", *WHY, "--json").json
    bursar("bookings", "cancel", made["payment"], "--customer", str(who), *WHY)
    why = bursar("why", "booking", made["booking"], "--json").json
    assert why["reason"] == (
        f"it was cancelled by customer:{who}: Cancelled by user during checkout"
    )
    pay(bursar.database, UUID(made["payment"]))
    why = bursar("why", "booking", made["booking"], "--json").json
    assert "100.00 INR were captured when it had no place for them any more" in why["reason"]
    assert why["command"] == f"""bursar refunds create {made["payment"]} --key … --why "…\""""
