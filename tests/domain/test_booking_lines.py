"""Files of bookings, lines, offers and customers: what a row means, and every rule it may break."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain import field_rules as rules
from domain.appointments import AppointmentState
from domain.booking_lines import BookingLine, booking_records
from domain.bookings import BookingState
from domain.offer_lines import CUSTOMER_RECORDS, PLAN_RECORDS, PlanLine, appointment_records
from domain.records import Records
from domain.wait_lines import WaitLine, wait_records
from tests.bringing import AS_OF, Row, booked, lined, published

PLAN = {
    "external_id": "TEA", "consultant": "Asha", "kind": "webinar", "title": "Tea", "price": "100",
    "currency": "INR", "minutes": "60",
}  # fmt: skip


def parsed(records: Records[Any], row: Row) -> Any:  # noqa: ANN401  a line, or what is wrong with it
    """What a row is read as."""
    return records.parse([row.get(field, "") for field in records.fields], "a.csv", 2)


def broken(records: Records[Any], row: Row) -> str:
    """The one rule a row breaks, with its field."""
    found = parsed(records, row)
    assert isinstance(found, list), found
    [error] = found
    return f"{error.place.rpartition(' ')[2]}: {error.rule}"


def test_a_record_has_one_spelling_of_each_text() -> None:
    one = parsed(PLAN_RECORDS, PLAN)
    other = parsed(PLAN_RECORDS, PLAN | {"price": "100.00", "times": "1", "active": "yes"})
    assert isinstance(one, PlanLine)
    assert isinstance(other, PlanLine)
    assert one.record == other.record
    local = booked(created_at="2026-03-30T17:30:00+05:30")
    line = parsed(booking_records(AS_OF), local)
    assert isinstance(line, BookingLine)
    assert "2026-03-30T12:00:00Z" in line.record
    assert (line.places, line.state, line.payment) == (1, BookingState.SCHEDULED, None)
    waits = parsed(wait_records(AS_OF), lined())
    assert isinstance(waits, WaitLine)
    assert (waits.priority, len(waits.record)) == (0, len(wait_records(None).fields))


def test_times_are_read_in_their_order() -> None:
    found = rules.moments_of("2031-03-05T12:00Z  2031-03-04T12:00Z")
    assert found == (datetime(2031, 3, 4, 12, tzinfo=UTC), datetime(2031, 3, 5, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"price": "0"}, "price: must be more than zero"),
        ({"price": "1.234"}, "price: INR has 2 digits after the point"),
        ({"price": "1e3"}, "price: must be decimal text in major units, such as 1250.50"),
        ({"minutes": "0"}, "minutes: must be a number from 1 to 1440"),
        ({"minutes": "1441"}, "minutes: must be a number from 1 to 1440"),
        ({"kind": "party"}, "kind: must be one of consultation, subscription, webinar, class"),
        (
            {"times": "2"},
            "times: must be empty or 1: a webinar takes place when it was published for",
        ),
        ({"active": "maybe"}, "active: must be empty or one of yes, no"),
        ({"title": ""}, "title: must be 1 to 200 printable characters"),
    ],
)
def test_a_plan_keeps_its_rules(row: Row, rule: str) -> None:
    assert broken(PLAN_RECORDS, {**PLAN, **row}) == rule


@pytest.mark.parametrize("email", ["mira", "a@b c", "a@b\n", "@", "a" * 250 + "@b.org"])
def test_a_customer_is_written_to_at_an_address(email: str) -> None:
    row = {"external_id": "C-1", "name": "Mira", "email": email}
    assert broken(CUSTOMER_RECORDS, row).startswith("email: must be empty or an address")


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"capacity": "0"}, "capacity: must be a number from 1 to 1000000"),
        ({"starts_at": ""}, "starts_at: must be 1 to 100 times with spaces between them"),
        ({"starts_at": "2031-03-05 12:00"}, f"starts_at: {rules.MOMENT_RULE}"),
        ({"starts_at": "2031-03-05T12:00Z 2031-03-05T13:00+01:00"}, "starts_at: must not name a time twice"),
        ({"starts_at": "1999-03-05T12:00Z"}, "starts_at: must lie in the years 2000 to 2998"),
        ({"state": "OVER"}, "state: must be empty or PLANNED without --as-of: it is published here"),
        ({"state": "FREED"}, "state: must be empty or one of PLANNED, CANCELLED, OVER"),
    ],
)  # fmt: skip
def test_an_appointment_keeps_its_rules(row: Row, rule: str) -> None:
    assert broken(appointment_records(None), published(**row)) == rule


def test_an_appointment_of_another_system_may_be_over() -> None:
    line = parsed(appointment_records(AS_OF), published(state="OVER"))
    assert line.state is AppointmentState.OVER


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"state": ""}, "state: must be given with --as-of"),
        ({"state": "LOST"}, "state: must be empty or one of PENDING, APPROVED"),
        ({"appointment": ""}, "appointment: must be given, or else starts_at, not both, for a booking that"),
        ({"created_at": "2026-04-01T00:00Z"}, "created_at: must be before 2026-04-01T00:00:00Z"),
        ({"places": "101"}, "places: must be empty or a number from 1 to 100"),
        ({"state": "CANCELLED", "earning": "S-1"}, "earning: must be empty for a booking that is CANCELLED"),
    ],
)  # fmt: skip
def test_a_booking_of_another_system_keeps_its_rules(row: Row, rule: str) -> None:
    assert broken(booking_records(AS_OF), {**booked(), **row}).startswith(rule)


def test_a_payment_is_told_whole() -> None:
    found = parsed(booking_records(AS_OF), booked(amount="1.00", currency="INR"))
    assert isinstance(found, list)
    assert [error.place.rpartition(" ")[2] for error in found] == [
        "paid_at",
        "gateway",
        "order_id",
        "payment_id",
        "earning",
    ]
    whole = {
        "amount": "0",
        "currency": "INR",
        "paid_at": "2026-03-30T12:00Z",
        "gateway": "stripe",
        "order_id": "p",
        "payment_id": "p",
        "earning": "S",
    }
    assert broken(booking_records(AS_OF), booked(**whole)) == "amount: must be more than zero"
    assert "must be one of" in broken(booking_records(AS_OF), booked(**whole | {"currency": "XXX"}))
    early = whole | {"amount": "1", "created_at": "2026-03-31T12:00Z"}
    assert (
        broken(booking_records(AS_OF), booked(**early)) == "paid_at: must not be before created_at"
    )


def test_what_is_asked_for_here_has_no_past() -> None:
    found = parsed(booking_records(None), booked(places="2"))
    assert isinstance(found, list)
    assert [error.place.rpartition(" ")[2] for error in found] == ["appointment", "places", "state"]
    wish = parsed(booking_records(None), {"external_id": "B", "customer": "C", "plan": "P"})
    assert wish.state is BookingState.PENDING
