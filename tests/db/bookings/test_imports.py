"""Customers, plans, appointments and bookings are brought in: once, whole, in any state, or with every error named."""

from datetime import UTC, datetime, timedelta

import pytest

from db.bookings.start import start_checkout
from db.engine import Database
from domain.booking_errors import TimeTakenError
from domain.bookings import EXPIRE_WISHES
from domain.checkouts import SCOPE, Request, Wanted
from domain.errors import BadInputsError
from domain.owners import CustomerOwner
from tests.booking import pay
from tests.bringing import AHEAD, AS_OF, Row, booked, bring, earned, offers, published, told
from tests.builders import rows
from tests.earning import know, payee


@pytest.fixture
def brought(operator: Database, database: Database) -> Database:
    """A database with customers, a talk, a webinar and its appointment, as an operator has it."""
    offers(operator)
    return operator


def refusal(database: Database, kind: str, *given: Row, as_of: datetime | None = None) -> str:
    """What is said of rows that may not be brought in; nothing is written."""
    before = rows(database, "SELECT count(*) AS n FROM imported_records")
    with pytest.raises(BadInputsError) as error:
        bring(database, kind, *given, as_of=as_of)
    assert rows(database, "SELECT count(*) AS n FROM imported_records") == before
    return "\n".join(f"{place}: {rule}" for place, rule in told(error.value))


def found(database: Database, table: str) -> dict[str, str]:
    return {
        row.external_id: row.state
        for row in rows(
            database,
            f"SELECT external_id, state FROM {table} WHERE external_id IS NOT NULL",  # noqa: S608  a table of ours
        )
    }


def test_the_same_again_is_nothing_new_and_anything_else_is_named(brought: Database) -> None:
    offers(brought)
    assert rows(brought, "SELECT count(*) AS n FROM customers")[0].n == 3
    said = refusal(brought, "plans", {
        "external_id": "TEA", "consultant": "Asha", "kind": "webinar", "title": "Tea",
        "price": "101.00", "currency": "INR", "minutes": "60",
    })  # fmt: skip
    assert said == (
        "plans.csv row 2 field price: external_id TEA was imported with '100.00': "
        "the same id must carry the same content"
    )


def test_a_dry_run_says_the_same_and_writes_nothing(brought: Database) -> None:
    done = bring(brought, "bookings", booked("B-1", "PENDING"), as_of=AS_OF, dry_run=True)
    assert (done.created, done.labels) == (1, {"PENDING": 1})
    assert found(brought, "bookings") == {}


def test_an_id_that_no_file_brought_in_is_a_stranger(brought: Database) -> None:
    who = rows(brought, "SELECT id FROM customers WHERE external_id = 'C-1'")[0].id
    at = rows(brought, "SELECT id, plan FROM appointments")[0]
    wanted = Wanted(customer=CustomerOwner(id=who), plan=at.plan, appointment=at.id)
    request = Request(scope=SCOPE, actor="a", key="k")
    made = brought.transact(lambda tx: start_checkout(tx, request, wanted))
    said = refusal(brought, "bookings", booked(str(made.booking), "PENDING"), as_of=AS_OF)
    assert "is a booking already that no file brought in" in said


def test_a_customer_belongs_to_payees_that_were_told_of(brought: Database) -> None:
    know(brought, [payee("Rao Ltd", kind="organisation"), payee("Ravi")])
    one = {"external_id": "C-8", "name": "Ravi", "payee": "Ravi", "organisation": "Rao Ltd"}
    bring(brought, "customers", one)
    said = refusal(
        brought,
        "customers",
        {"external_id": "C-9", "name": "Usha", "payee": "Ravi"},
        {"external_id": "C-10", "name": "Bela", "payee": "Nobody", "organisation": "Ravi"},
    )
    assert said.splitlines() == [
        "customers.csv row 3 field payee: must be the name of a payee: import payees first",
        "customers.csv row 2 field payee: is customer C-8 already",
        "customers.csv row 3 field organisation: is a person: no organisation",
    ]


def test_what_is_published_lies_ahead_and_takes_a_free_time_of_a_shared_plan(
    brought: Database,
) -> None:
    said = refusal(
        brought,
        "appointments",
        published("A-2", starts_at="2031-03-05T12:59:00Z"),
        published("A-3", starts_at="2020-03-05T12:00:00Z"),
        published("A-4", plan="TALK", starts_at="2031-03-06T12:00:00Z"),
        published("A-5", plan="NOTHING"),
    )
    assert [line.split(" field ")[1][:40] for line in said.splitlines()] == [
        "plan: must be the external_id of a plan:",
        "starts_at: must lie in the future",
        "plan: is a consultation: a checkout make",
        "starts_at: overlaps what TEA's consultan",
    ]
    twice = refusal(
        brought,
        "appointments",
        published("A-2", starts_at="2031-03-07T12:00:00Z"),
        published("A-3", starts_at="2031-03-07T12:30:00Z"),
    )
    assert twice.startswith("appointments.csv row 3 field starts_at: overlaps")
    bring(brought, "appointments", published("A-2", starts_at="2031-03-05T13:00:00Z"))


def test_appointments_of_another_system_are_where_they_were(brought: Database) -> None:
    past = "2026-03-05T12:00:00Z"
    bring(
        brought,
        "appointments",
        published("OVER", starts_at=past, state="OVER"),
        published("OFF", starts_at=AHEAD, state="CANCELLED"),
        published("LATE", starts_at="2026-03-06T12:00:00Z", state="PLANNED"),
        as_of=AS_OF,
    )
    assert found(brought, "appointments") == {
        "TEA-1": "PLANNED", "OVER": "OVER", "OFF": "CANCELLED", "LATE": "PLANNED",
    }  # fmt: skip
    [due] = rows(brought, "SELECT job FROM work WHERE due_at < clock_timestamp()")
    assert due.job == "bookings.complete"
    said = refusal(
        brought,
        "appointments",
        published("A-9", starts_at="2031-01-01T00:00Z", state="OVER"),
        as_of=AS_OF,
    )
    assert "must be PLANNED: it had not ended then" in said


def test_bookings_are_taken_over_in_every_state_and_the_audit_is_clean(brought: Database) -> None:
    earned(brought, "S-1", payee="Asha", gross="100.00")
    bring(
        brought,
        "appointments",
        published("PAST", starts_at="2026-03-05T12:00:00Z", state="OVER"),
        as_of=AS_OF,
    )
    paid = {"amount": "100.00", "currency": "INR", "paid_at": "2026-03-30T12:00:00Z",
            "gateway": "razorpay", "order_id": "order_1", "payment_id": "pay_1", "earning": "S-1"}  # fmt: skip
    talk = {"plan": "TALK", "customer": "C-2"}
    bring(
        brought,
        "bookings",
        booked("B-1", **paid),
        booked("B-2", "COMPLETED", appointment="PAST", places="2"),
        booked("B-3", **talk, starts_at="2031-03-06T12:00:00Z"),
        booked("B-4", "COMPLETED", **talk, starts_at="2026-03-06T12:00:00Z"),
        *(
            booked(f"B-{state}", state)
            for state in ("PENDING", "APPROVED", "APPROVED_PENDING_PAYMENT", "REJECTED", "CANCELLED", "EXPIRED")
        ),
        as_of=AS_OF,
    )  # fmt: skip
    states = found(brought, "bookings")
    assert {name: state for name, state in states.items() if name != f"B-{state}"} == {
        "B-1": "SCHEDULED", "B-2": "COMPLETED", "B-3": "SCHEDULED", "B-4": "COMPLETED",
        # Its checkout ended with the other system: it waits for another one, and ends where none is begun.
        "B-APPROVED_PENDING_PAYMENT": "APPROVED",
    }  # fmt: skip
    assert len(states) == 10
    waits = "SELECT due_at - clock_timestamp() AS left FROM work WHERE job = :job"
    ends = rows(brought, waits, job=EXPIRE_WISHES)
    assert len(ends) == 3
    assert all(timedelta(days=6) < row.left < timedelta(days=8) for row in ends)
    taken = rows(
        brought,
        "SELECT external_id, taken FROM appointments WHERE external_id IS NOT NULL ORDER BY 1",
    )
    assert [tuple(row) for row in taken] == [("PAST", 2), ("TEA-1", 1)]
    [payment] = rows(
        brought,
        "SELECT p.id, p.amount, p.taken_over, o.state, o.captured_as FROM payments p JOIN orders o ON o.payment = p.id",
    )
    assert tuple(payment)[1:] == (10_000, True, "CLOSED", "pay_1")
    assert rows(brought, "SELECT FROM earnings WHERE id = :id", id=payment.id)
    assert rows(brought, "SELECT FROM entries WHERE key LIKE 'payment:%'") == []


def test_a_place_that_was_taken_over_is_nobody_elses(brought: Database) -> None:
    """Capacity and a consultant's time hold for what was brought in as for what is booked here."""
    bring(brought, "bookings", booked("B-1", places="2"), as_of=AS_OF)
    bring(
        brought,
        "bookings",
        booked("B-2", plan="TALK", starts_at="2031-03-06T12:00:00Z"),
        as_of=AS_OF,
    )
    who = rows(brought, "SELECT id FROM customers WHERE external_id = 'C-3'")[0].id
    talk = rows(brought, "SELECT id FROM plans WHERE external_id = 'TALK'")[0].id
    starts = (datetime(2031, 3, 6, 12, 30, tzinfo=UTC),)
    wanted = Wanted(customer=CustomerOwner(id=who), plan=talk, starts=starts)
    with pytest.raises(TimeTakenError):
        brought.transact(
            lambda tx: start_checkout(tx, Request(scope=SCOPE, actor="a", key="k"), wanted)
        )
    said = refusal(brought, "bookings", booked("B-3", customer="C-2"), as_of=AS_OF)
    assert "are more than the 0 that are free at TEA-1, with the rows before" in said


def test_a_wish_is_paid_for_by_a_checkout(brought: Database) -> None:
    bring(brought, "bookings", {"external_id": "B-1", "customer": "C-1", "plan": "TEA"})
    ids = rows(
        brought,
        "SELECT b.id, b.customer, b.plan, a.id AS at FROM bookings b JOIN appointments a ON a.plan = b.plan",
    )[0]
    wanted = Wanted(
        customer=CustomerOwner(id=ids.customer), plan=ids.plan, appointment=ids.at, booking=ids.id
    )
    made = brought.transact(
        lambda tx: start_checkout(tx, Request(scope=SCOPE, actor="a", key="k"), wanted)
    )
    assert pay(brought, made.payment) == ["scheduled"]
    assert found(brought, "bookings") == {"B-1": "SCHEDULED"}


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (booked(customer="C-9"), "must be the external_id of a customer: import them first"),
        (booked(plan="NOTHING"), "must be the external_id of a plan: import them first"),
        (booked(appointment="A-9"), "must be the external_id of an appointment: import them first"),
        (booked(starts_at=AHEAD), "must be empty: a webinar is booked by its appointment"),
        (booked(plan="TALK"), "must be 1 times: a consultation has its own"),
        (booked(plan="TALK", starts_at="2031-03-09T12:00:00Z", places="2"), "must be 1: a consultation is for one"),
        (booked(plan="TALK", starts_at=AHEAD), "overlaps what the consultant has at 2031-03-05T12:00Z"),
        (booked(places="3"), "are more than the 2 that are free"),
        (booked(state="COMPLETED"), "must be SCHEDULED: it had not ended then"),
        (booked(plan="TALK", state="COMPLETED", starts_at="2031-03-09T12:00Z"), "must be SCHEDULED: it had not ended"),
        (booked(amount="100.00", currency="INR", paid_at="2026-03-30T12:00Z", gateway="stripe", order_id="p",
                payment_id="p", earning="S-9"),
         "must be the external_id of an earning that was taken over"),
    ],
)  # fmt: skip
def test_what_cannot_have_been_is_refused(brought: Database, given: Row, rule: str) -> None:
    assert rule in refusal(brought, "bookings", given, as_of=AS_OF)


def test_a_payment_is_that_of_one_earning_of_its_consultant(brought: Database) -> None:
    earned(brought, "S-1", payee="Asha", gross="100.00")
    earned(brought, "S-2", payee="Bela", gross="100.00")
    paid = {
        "amount": "100.00",
        "currency": "INR",
        "paid_at": "2026-03-30T12:00:00Z",
        "gateway": "razorpay",
        "order_id": "order_1",
        "payment_id": "pay_1",
    }
    said = refusal(
        brought,
        "bookings",
        booked("B-1", **paid, earning="S-1"),
        booked("B-2", **paid, earning="S-1"),
        booked("B-3", **paid | {"amount": "99.00"}, earning="S-2"),
        as_of=AS_OF,
    )
    assert "row 3 field order_id: is that of another booking at razorpay already" in said
    assert "row 4 field payment_id: is that of another booking at razorpay already" in said
    assert "row 3 field earning: is that of another row: it is earned once" in said
    assert "row 4 field earning: was earned by Bela, who does not offer plan TEA" in said
    assert "row 4 field amount: must be the gross of earning S-2, in its currency" in said


def test_what_ended_since_its_file_was_written_is_completed(brought: Database) -> None:
    """TRAP: the job that completes may be faster than the next import of a take-over."""
    bring(
        brought,
        "appointments",
        published("PAST", starts_at="2026-03-05T12:00:00Z", state="OVER"),
        as_of=AS_OF,
    )
    bring(brought, "bookings", booked(appointment="PAST"), as_of=AS_OF)
    assert found(brought, "bookings") == {"B-1": "COMPLETED"}


def test_times_of_one_consultant_alone_can_clash(brought: Database) -> None:
    bring(
        brought, "plans",
        {"external_id": "CHAI", "consultant": "Bela", "kind": "class", "title": "Chai", "price": "1.00",
         "currency": "INR", "minutes": "60"},
    )  # fmt: skip
    starts = datetime(2031, 3, 5, 12, tzinfo=UTC)
    times = " ".join((starts + timedelta(hours=n)).isoformat() for n in (0, 1, 2))
    bring(brought, "appointments", published("CHAI-1", plan="CHAI", starts_at=times))
    assert rows(brought, "SELECT count(*) AS n FROM slots")[0].n == 4
