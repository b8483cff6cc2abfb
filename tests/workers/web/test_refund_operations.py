"""The operations on refunds over HTTP: what an application gives back for its customers, and what it may not."""

from uuid import uuid4

from db.engine import Database
from tests.booking import PRICE
from tests.builders import rows
from tests.fakes.payments import FakePayments
from tests.refunding import paid, under_way
from tests.workers.web.calling import Shop, code


def test_a_customers_payment_is_given_back_under_its_key(
    asker: Shop, operator: Database, database: Database
) -> None:
    made = paid(operator, database, FakePayments(), wallet=4_000)
    asked = {"actor": made.customer, "payment": made.payment, "why": "ill", "amount_minor": 5_000}
    first = asker.ask("refunds.create", "r", **asked)
    assert (first.status_code, first.json()["state"], first.json()["gateway_minor"]) == (
        200,
        "RESERVED",
        3_000,
    )
    assert asker.ask("refunds.create", "r", **asked).content == first.content
    assert code(asker.ask("refunds.create", "r", **asked | {"amount_minor": 1})) == (
        409,
        "key_reused",
    )
    shown = asker.ask("refunds.show", actor=made.customer, refund=first.json()["refund"]).json()
    assert shown == first.json()
    rest = asker.ask("refunds.create", actor=made.customer, payment=made.payment, why="ill")
    assert rest.json()["amount_minor"] == PRICE - 5_000
    again = asker.ask("refunds.create", actor=made.customer, payment=made.payment, why="ill")
    assert code(again) == (409, "already_fully_refunded")
    assert len(rows(database, "SELECT FROM refunds")) == 2


def test_what_cannot_be_given_back_says_why(
    asker: Shop, operator: Database, database: Database
) -> None:
    made, other = paid(operator, database, FakePayments()), under_way(operator, database)
    asked = {"actor": made.customer, "payment": made.payment, "why": "ill"}
    too_much = asker.ask("refunds.create", **asked, amount_minor=PRICE + 1)
    assert code(too_much) == (409, "amount_exceeds_refundable")
    assert code(asker.ask("refunds.create", **asked, amount_minor=0)) == (422, "bad_input")
    unpaid = {"actor": other.customer, "payment": other.payment, "why": "ill"}
    assert code(asker.ask("refunds.create", **unpaid)) == (409, "payment_not_succeeded")


def test_somebody_elses_payment_and_refund_are_not_there(
    asker: Shop, operator: Database, database: Database
) -> None:
    made, other = (
        paid(operator, database, FakePayments()),
        paid(operator, database, FakePayments("stripe")),
    )
    asked = {"actor": other.customer, "why": "ill"}
    assert code(asker.ask("refunds.create", **asked, payment=made.payment)) == (404, "not_found")
    assert code(asker.ask("refunds.create", **asked, payment=uuid4())) == (404, "not_found")
    mine = asker.ask("refunds.create", actor=made.customer, payment=made.payment, why="ill").json()
    told = asker.ask("refunds.show", actor=other.customer, refund=mine["refund"])
    assert code(told) == (404, "not_found")
