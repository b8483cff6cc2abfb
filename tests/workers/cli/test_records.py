"""`import customers|plans|appointments|bookings|waitlist` as they are typed, and the pages and listings they fill."""

import json
from collections.abc import Sequence

from domain.booking_lines import booking_records
from domain.offer_lines import CUSTOMER_RECORDS, PLAN_RECORDS, appointment_records
from domain.wait_lines import wait_records
from tests.bringing import AHEAD, Row, booked, lined, published
from tests.operating import query
from tests.workers.cli.conftest import Line

CUSTOMERS = [{"external_id": "C-1", "name": "Mira Sen"}, {"external_id": "C-2", "name": "Usha"}]
PLANS = [
    {"external_id": "TEA", "consultant": "Asha", "kind": "webinar", "title": "Tea", "price": "100.00",
     "currency": "INR", "minutes": "60"},
]  # fmt: skip
FIELDS = {
    "customers": CUSTOMER_RECORDS.fields,
    "plans": PLAN_RECORDS.fields,
    "appointments": appointment_records(None).fields,
    "bookings": booking_records(None).fields,
    "waitlist": wait_records(None).fields,
}


def csv(kind: str, rows: Sequence[Row]) -> str:
    """A file of rows."""
    lines = [",".join(row.get(field, "") for field in FIELDS[kind]) for row in rows]
    return "\n".join([",".join(FIELDS[kind]), *lines, ""])


def bring(bursar: Line, kind: str, rows: Sequence[Row], *words: str) -> dict[str, object]:
    """Import rows; what was said of it."""
    said = bursar("import", kind, bursar.file(csv(kind, rows), f"{kind}.csv"), *words, "--json")
    assert said.code == 0, said.err
    told: dict[str, object] = said.json
    return told


def test_a_marketplace_is_brought_in_file_by_file_and_read(bursar: Line) -> None:
    bring(bursar, "customers", CUSTOMERS)
    bring(bursar, "plans", PLANS)
    bring(bursar, "appointments", [published()])
    done = bring(
        bursar, "bookings", [booked(places="2")], "--as-of", "2026-03-31", "--why", "we move"
    )
    assert (done["created"], done["created_SCHEDULED"]) == (1, 1)
    line = [{"external_id": "W-1", "appointment": "TEA-1", "customer": "C-2"}]
    assert bring(bursar, "waitlist", line, "--dry-run")["created"] == 1
    assert bring(bursar, "waitlist", line)["created"] == 1
    assert bring(bursar, "waitlist", line)["existing"] == 1
    assert {row["external_id"] for row in bursar("customers", "list", "--json").json} == {
        "C-1",
        "C-2",
    }
    [plan] = bursar("plans", "list", "--json").json
    assert (plan["consultant"], plan["price_minor"]) == ("Asha", 10_000)
    noted = query(bursar.database, "SELECT what, why FROM changes ORDER BY id")
    assert [tuple(row) for row in noted][-2:] == [
        ("bookings.take_over", "we move: 1 created"),
        ("waitlist.import", "1 created"),
    ]
    assert bursar("audit").code == 0


def test_errors_name_file_row_field_value_and_rule_and_nothing_is_written(bursar: Line) -> None:
    bring(bursar, "plans", PLANS)
    file = bursar.file(csv("bookings", [booked("B-1", "PENDING")]), "old.csv")
    said = bursar("import", "bookings", file, "--as-of", "2026-03-31")
    assert said.code == 2
    rule = "must be the external_id of a customer: import them first"
    assert f"old.csv row 2 field customer: 'C-1': {rule}" in said.err
    assert query(bursar.database, "SELECT FROM bookings") == []


def test_objects_need_only_the_fields_that_say_something(bursar: Line) -> None:
    bring(bursar, "plans", PLANS)
    file = bursar.file(json.dumps(published()), "appointments.jsonl")
    assert bursar("import", "appointments", file).code == 0
    bring(bursar, "customers", CUSTOMERS)
    full = [booked(places="2")]
    bring(bursar, "bookings", full, "--as-of", "2026-03-31")
    file = bursar.file(json.dumps(lined()), "line.jsonl")
    assert bursar("import", "waitlist", file, "--as-of", "2026-03-31").code == 0
    why = bursar("why", "waitlist", "W-1", "--json").json
    assert why["reason"] == "all places are taken, and 0 wait before it"


def test_a_page_ends_with_the_id_that_the_next_begins_after(bursar: Line) -> None:
    bring(bursar, "customers", CUSTOMERS)
    bring(bursar, "plans", [*PLANS, PLANS[0] | {"external_id": "CHAI"}])
    for kind, *both in (("customers", "C-2", "C-1"), ("plans", "CHAI", "TEA")):
        [one] = bursar(kind, "list", "--limit", "1", "--json").json
        [other] = bursar(kind, "list", "--after", one["id"], "--json").json
        assert {one["external_id"], other["external_id"]} == set(both)
        assert bursar(kind, "list", "--after", AHEAD).code == 2
        assert bursar(kind, "list", "--after", "00000000-0000-4000-8000-000000000000").code == 2
