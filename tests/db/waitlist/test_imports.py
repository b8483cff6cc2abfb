"""Lines are brought in: who joins here by the rules of the line, who waited elsewhere as they stood."""

from datetime import timedelta

import pytest

from db.clock import now
from db.engine import Database
from db.waitlist.offer import offer
from db.work import ClaimOrder
from domain.errors import BadInputsError
from domain.waitlist import OfferPolicy
from tests.bringing import AS_OF, Row, booked, bring, earned, lined, offers, published, told
from tests.builders import rows


@pytest.fixture
def sold_out(operator: Database, database: Database) -> Database:
    """A webinar of two places, of which one is free."""
    offers(operator)
    bring(operator, "bookings", booked("B-1", customer="C-3"), as_of=AS_OF)
    return operator


def refusal(database: Database, *given: Row, elsewhere: bool = True) -> str:
    with pytest.raises(BadInputsError) as error:
        bring(database, "waitlist", *given, as_of=AS_OF if elsewhere else None)
    assert rows(database, "SELECT FROM waitlist") == []
    return "\n".join(f"{place}: {rule}" for place, rule in told(error.value))


def states(database: Database) -> dict[str, str]:
    found = rows(database, "SELECT external_id, state FROM waitlist ORDER BY external_id")
    return {row.external_id: row.state for row in found}


def joins(external_id: str, customer: str = "C-1", **changes: str) -> Row:
    return {"external_id": external_id, "appointment": "TEA-1", "customer": customer} | changes


def test_nobody_joins_beside_a_free_place_or_twice(sold_out: Database) -> None:
    assert "has places that nobody waits for: book one" in refusal(
        sold_out, joins("W-1"), elsewhere=False
    )
    bring(sold_out, "bookings", booked("B-2", customer="C-3"), as_of=AS_OF)
    said = refusal(sold_out, joins("W-1"), joins("W-2"), elsewhere=False)
    assert "row 3 field customer: waits for TEA-1 already, or has an offer of it" in said


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_consultant_waits_for_no_place_of_their_own(
    sold_out: Database,
    elsewhere: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    bring(sold_out, "bookings", booked("B-2", customer="C-3"), as_of=AS_OF)
    bring(sold_out, "customers", {"external_id": "HOST", "name": "Asha", "payee": "Asha"})
    given = lined(customer="HOST") if elsewhere else joins("W-1", "HOST")
    said = refusal(sold_out, given, elsewhere=elsewhere)
    assert "row 2 field customer: a consultant is no participant of their own appointments" in said


def test_who_joins_stands_in_the_order_of_the_file(sold_out: Database) -> None:
    bring(sold_out, "bookings", booked("B-2", customer="C-3"), as_of=AS_OF)
    bring(
        sold_out,
        "waitlist",
        joins("W-9", "C-1"),
        joins("W-1", "C-2"),
        joins("W-5", "C-3", priority="1"),
    )
    line = rows(sold_out, "SELECT external_id FROM waitlist ORDER BY priority DESC, joined_at, id")
    assert [row.external_id for row in line] == ["W-5", "W-9", "W-1"]
    assert rows(sold_out, "SELECT FROM work WHERE job LIKE 'waitlist.%'") == []


def test_a_line_is_taken_over_and_a_place_that_is_free_goes_to_who_waits(
    sold_out: Database,
) -> None:
    bring(
        sold_out, "waitlist", lined("W-1"), lined("W-2", customer="C-2", priority="3"), as_of=AS_OF
    )
    assert rows(sold_out, "SELECT state FROM appointments")[0].state == "FREED"
    order = ClaimOrder(run=1, limit=10, lease_seconds=15.0)
    assert sold_out.transact(lambda tx: offer(tx, order, OfferPolicy())).offers == 1
    assert states(sold_out) == {"W-1": "WAITING", "W-2": "NOTIFIED"}


def test_offers_stand_as_they_did_and_hold_their_places(sold_out: Database) -> None:
    """Invariant 73: what was offered elsewhere is no free place here."""
    with sold_out.begin() as tx:
        later = now(tx) + timedelta(hours=20)
    bring(
        sold_out,
        "waitlist",
        lined("W-1", "NOTIFIED", expires_at=later.isoformat()),
        as_of=AS_OF,
    )
    [row] = rows(
        sold_out,
        """SELECT a.taken, w.job, w.due_at FROM appointments a, waitlist l JOIN work w ON w.subject = l.id""",
    )
    assert (row.taken, row.job) == (2, "waitlist.remind")
    assert row.due_at <= later - timedelta(hours=10)
    said = bring(sold_out, "waitlist", lined("W-2", customer="C-2"), as_of=AS_OF)
    assert said.labels == {"WAITING": 1}
    assert rows(sold_out, "SELECT state FROM appointments")[0].state == "PLANNED"


def test_what_ended_is_history_and_nobody_waits_for_what_is_over(sold_out: Database) -> None:
    earned(sold_out, "S-1", payee="Asha", gross="100.00")
    past = published("PAST", starts_at="2026-03-05T12:00:00Z", state="OVER")
    bring(sold_out, "appointments", past, as_of=AS_OF)
    paid = {
        "amount": "100.00",
        "currency": "INR",
        "paid_at": "2026-03-01T12:00Z",
        "gateway": "stripe",
        "order_id": "p",
        "payment_id": "p",
        "earning": "S-1",
    }
    bring(sold_out, "bookings", booked("B-2", "COMPLETED", appointment="PAST", **paid), as_of=AS_OF)
    ends = {"expires_at": "2026-03-31T12:00:00Z"}
    bring(
        sold_out,
        "waitlist",
        lined("W-1", "BOOKED", appointment="PAST", booking="B-2"),
        lined("W-2", "EXPIRED", **ends),
        lined("W-3", "CANCELLED"),
        lined("W-4", "SKIPPED", appointment="PAST"),
        lined("W-5", "WAITING", appointment="PAST", customer="C-2"),
        lined("W-6", "REMINDED", appointment="PAST", customer="C-3", **ends),
        as_of=AS_OF,
    )
    assert states(sold_out) == {
        "W-1": "BOOKED", "W-2": "EXPIRED", "W-3": "CANCELLED", "W-4": "SKIPPED", "W-5": "SKIPPED", "W-6": "EXPIRED",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (lined(appointment="A-9"), "must be the external_id of an appointment: import them first"),
        (lined(customer="C-9"), "must be the external_id of a customer: import them first"),
        (
            lined(state="BOOKED", booking="B-9"),
            "must be the external_id of a booking: import them first",
        ),
        (
            lined(state="BOOKED", booking="B-1", customer="C-3"),
            "has no payment here: leave out an entry",
        ),
        (lined(state="BOOKED", booking="B-1"), "is another customer's"),
        (lined(state="NOTIFIED"), "must be given for an entry that is NOTIFIED"),
        (
            lined(expires_at="2026-03-31T12:00Z"),
            "must be empty: what is WAITING was offered nothing",
        ),
        (lined(joined_at="2026-04-02T12:00Z"), "must be before 2026-04-01T00:00:00Z"),
        (lined(joined_at=""), "must be given with --as-of: the line is in that order"),
        (lined(state=""), "must be given with --as-of"),
        (lined(booking="B-1"), "must be given for an entry that is BOOKED, and for no other"),
    ],
)
def test_what_cannot_have_been_is_refused(sold_out: Database, given: Row, rule: str) -> None:
    assert rule in refusal(sold_out, given)


def test_more_offers_than_places_are_refused(sold_out: Database) -> None:
    ends = {"expires_at": "2031-01-01T00:00Z"}
    said = refusal(
        sold_out, lined("W-1", "NOTIFIED", **ends), lined("W-2", "REMINDED", customer="C-2", **ends)
    )
    assert "row 3 field state: holds a place, of which TEA-1 has 1, with the rows before" in said


def test_only_what_another_system_did_has_a_past(sold_out: Database) -> None:
    said = refusal(sold_out, lined("W-1", "NOTIFIED"), elsewhere=False)
    assert "joined_at: must be empty without --as-of" in said
    assert "state: must be empty or WAITING without --as-of" in said
