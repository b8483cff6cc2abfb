"""The matrix of cancelling over HTTP, cell by cell: what each answer is, and that none is an error of the server.

The same cells as the operation itself answers are `tests/db/bookings/test_cancel.py`.
"""

from typing import Final
from uuid import uuid4

import pytest

from db.engine import Database
from tests.booking import NOON, appointment, begin, cancel, customer, everything, pay, plan, put
from tests.builders import change, owner
from tests.workers.web.calling import Shop, code

CANCEL: Final = "bookings.cancel_pending_checkout"


@pytest.mark.parametrize("kind", ["consultation", "subscription", "webinar", "class"])
def test_c01_its_customer_cancels_a_checkout_and_is_told_what_it_freed(
    asker: Shop, operator: Database, database: Database, kind: str
) -> None:
    who, offer = customer(operator), plan(operator, kind)
    private = kind in {"consultation", "subscription"}
    what = {"starts": (NOON,)} if private else {"at": appointment(operator, offer)}
    made = begin(database, of=who, plan=offer, **what)
    answer = asker.ask(CANCEL, actor=who, payment=made.payment)
    assert (answer.status_code, answer.json()["places_released"]) == (200, 1)
    ends = everything(database, made)
    assert (ends["payment"], ends["booking"], ends["seat"]) == ("EXPIRED", "CANCELLED", "RELEASED")


@pytest.mark.parametrize("kind", ["webinar", "class"])
def test_c02_c03_of_what_is_shared_only_the_callers_own_places_are_freed(
    asker: Shop, operator: Database, database: Database, kind: str
) -> None:
    """Invariant 70."""
    who, other, offer = customer(operator), customer(operator), plan(operator, kind)
    at = appointment(operator, offer, capacity=5)
    mine = begin(database, of=who, plan=offer, at=at, places=2)
    theirs = begin(database, of=other, plan=offer, at=at, places=3)
    answer = asker.ask(CANCEL, actor=who, payment=mine.payment)
    assert (answer.status_code, answer.json()["places_released"]) == (200, 2)
    ends = everything(database, theirs)
    assert (ends["seat"], ends["taken"]) == ("TENTATIVE", 3)


def test_c04_c05_c06_what_ended_or_is_settled_is_a_conflict_and_stays(
    asker: Shop, operator: Database, database: Database
) -> None:
    """Invariant 70: of a booking that is settled the payment is PENDING as before."""
    who, webinar = customer(operator), plan(operator)
    at = appointment(operator, webinar, capacity=5)
    paid, over, settled = (begin(database, key, of=who, plan=webinar, at=at) for key in "abc")
    pay(database, paid.payment)
    cancel(database, who, over.payment)
    put(operator, settled.booking, "SCHEDULED")
    before = [everything(database, one) for one in (paid, over, settled)]
    assert [one["payment"] for one in before] == ["SUCCEEDED", "EXPIRED", "PENDING"]
    for one in (paid, over, settled):
        answer = asker.ask(CANCEL, actor=who, payment=one.payment)
        assert code(answer) == (409, "not_pending")
    assert [everything(database, one) for one in (paid, over, settled)] == before
    put(operator, settled.booking, "APPROVED_PENDING_PAYMENT")


def test_c07_c09_somebody_elses_and_what_there_is_not_are_not_found(
    asker: Shop, operator: Database, database: Database
) -> None:
    """Invariant 71: to the byte alike."""
    webinar = plan(operator)
    made = begin(database, of=customer(operator), plan=webinar, at=appointment(operator, webinar))
    answers = [
        asker.ask(CANCEL, actor=customer(operator), payment=payment)
        for payment in (made.payment, uuid4())
    ]
    assert {code(answer) for answer in answers} == {(404, "not_found")}
    assert len({answer.content for answer in answers}) == 1
    assert everything(database, made)["payment"] == "PENDING"


def test_c08_nobody_cancels_without_a_token(asker: Shop, operator: Database) -> None:
    for token in ("x", "x" * 40):
        answer = Shop(http=asker.http, token=token).ask(CANCEL, actor=uuid4(), payment=uuid4())
        assert code(answer) == (401, "unauthorized")


def test_c10_of_twelve_at_once_one_is_done_nine_conflict_and_two_wait(
    counted: Shop, operator: Database, database: Database
) -> None:
    """Invariant 69: the eleventh in a minute is Limited, and told when to come again."""
    webinar, who = plan(operator), customer(operator)
    made = begin(database, of=who, plan=webinar, at=appointment(operator, webinar))
    answers = counted.at_once(12, CANCEL, actor=who, payment=made.payment)
    assert sorted(a.status_code for a in answers) == [200] + [409] * 9 + [429] * 2
    assert {code(a) for a in answers if a.status_code == 409} == {(409, "not_pending")}
    limited = [a for a in answers if a.status_code == 429]
    assert all(1 <= int(a.headers["retry-after"]) <= 60 for a in limited)


def test_r01_with_the_limiter_off_one_is_done_and_eleven_conflict(
    asker: Shop, operator: Database, database: Database
) -> None:
    """Invariant 69."""
    webinar, who = plan(operator), customer(operator)
    made = begin(database, of=who, plan=webinar, at=appointment(operator, webinar))
    answers = asker.at_once(12, CANCEL, actor=who, payment=made.payment)
    assert sorted(a.status_code for a in answers) == [200] + [409] * 11


REFUSE: Final = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RAISE EXCEPTION USING ERRCODE = TG_ARGV[0], MESSAGE = ''somebody else was first''; END'"""


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "55P03"])
def test_retries_that_were_used_up_are_a_conflict(
    asker: Shop, operator: Database, database: Database, database_url: str, sqlstate: str
) -> None:
    """Never an error of the server: nothing was done, and the same may be asked again under the same key."""
    webinar, who = plan(operator), customer(operator)
    made = begin(database, of=who, plan=webinar, at=appointment(operator, webinar))
    before = everything(database, made)
    with owner(database_url) as outside:
        change(outside, REFUSE)
        change(
            outside,
            f"""CREATE TRIGGER refuse BEFORE UPDATE ON seats
                FOR EACH ROW EXECUTE FUNCTION refuse('{sqlstate}')""",
        )
        answer = asker.ask(CANCEL, "k", actor=who, payment=made.payment)
        change(outside, "DROP TRIGGER refuse ON seats")
        change(outside, "DROP FUNCTION refuse")
    assert code(answer) == (409, "conflict")
    assert everything(database, made) == before
    assert asker.ask(CANCEL, "k", actor=who, payment=made.payment).status_code == 200
