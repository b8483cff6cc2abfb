"""What becomes of a checkout that is cancelled: who may, when, what it frees, and who wins where several do.

The matrix of cancelling, cell by cell (`test_c01_…`), as the operation itself answers; the same over HTTP,
where somebody may be nobody (C08) or too quick (C10), is `tests/workers/web/test_cancelling.py`.
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID, uuid4

import pytest

from db.bookings.cancel import Cancelled, cancel_pending_checkout
from db.engine import Database
from db.errors import ContendedError
from db.tx import Tx
from domain.booking_errors import NotPendingError, UnknownError
from domain.ledger import AccountKind
from domain.owners import CustomerOwner
from tests.booking import (
    HOUR,
    NOON,
    PRICE,
    appointment,
    balance,
    begin,
    cancel,
    customer,
    everything,
    fill,
    pay,
    plan,
    put,
)
from tests.builders import rows

AT_ONCE = 6
ENDED = {
    "payment": "EXPIRED",
    "booking": "CANCELLED",
    "seat": "RELEASED",
    "order": "CLOSING",
    "orphaned": False,
}


def jobs(database: Database) -> list[str]:
    """What is waited for besides the appointments."""
    statement = "SELECT job FROM work WHERE job <> 'bookings.complete' ORDER BY job"
    return [row.job for row in rows(database, statement)]


@pytest.mark.parametrize("kind", ["consultation", "subscription"])
def test_c01_its_owner_cancels_a_private_checkout_and_all_of_it_ends(
    operator: Database, database: Database, kind: str
) -> None:
    who = customer(operator)
    made = begin(database, of=who, plan=plan(operator, kind), starts=(NOON,))
    done = cancel(database, who, made.payment)
    assert (done.payment, done.places_released, done.order) == (made.payment, 1, made.order)
    assert everything(database, made) == {**ENDED, "appointment": "CANCELLED", "taken": 0}
    assert jobs(database) == ["bookings.close_orders"]
    [booking] = rows(database, "SELECT note FROM bookings")
    assert booking.note == "Cancelled by user during checkout"


def test_c01_legs_go_back_to_where_they_came_from(operator: Database, database: Database) -> None:
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar)
    fill(operator, who, 3_000)
    fill(operator, who, 1_000, AccountKind.REFERRAL_CREDIT)
    held = balance(database, AccountKind.CHECKOUT_HOLDS)
    made = begin(database, of=who, plan=webinar, at=at, wallet_minor=3_000, credit_minor=1_000)
    cancel(database, who, made.payment)
    assert balance(database, AccountKind.WALLET, who) == 3_000
    assert balance(database, AccountKind.REFERRAL_CREDIT, who) == 1_000
    assert balance(database, AccountKind.CHECKOUT_HOLDS) == held


def test_c02_of_a_webinar_only_the_callers_own_places_are_freed(
    operator: Database, database: Database
) -> None:
    """Invariant 70."""
    webinar, who, other = plan(operator), customer(operator), customer(operator)
    at = appointment(operator, webinar, capacity=5)
    theirs = begin(database, of=other, plan=webinar, at=at, places=2)
    mine = begin(database, of=who, plan=webinar, at=at, places=3)
    assert cancel(database, who, mine.payment).places_released == 3
    assert everything(database, mine) == {**ENDED, "appointment": "PLANNED", "taken": 2}
    assert everything(database, theirs)["seat"] == "TENTATIVE"


def test_c03_of_a_class_the_caller_leaves_all_its_sessions_and_the_others_stay(
    operator: Database, database: Database
) -> None:
    """Invariant 70: shared slots stay, confirmed as they were published."""
    lessons, who, other = plan(operator, "class"), customer(operator), customer(operator)
    starts = tuple(NOON + n * 24 * HOUR for n in range(3))
    at = appointment(operator, lessons, capacity=5, starts=starts)
    theirs = begin(database, of=other, plan=lessons, at=at)
    mine = begin(database, of=who, plan=lessons, at=at)
    cancel(database, who, mine.payment)
    assert everything(database, mine) == {**ENDED, "appointment": "PLANNED", "taken": 1}
    assert everything(database, theirs)["seat"] == "TENTATIVE"
    assert len(rows(database, "SELECT FROM slots WHERE confirmed")) == 3


@pytest.fixture
def seated(operator: Database) -> tuple[UUID, UUID, UUID]:
    """A customer, a webinar, and its appointment."""
    webinar = plan(operator)
    return customer(operator), webinar, appointment(operator, webinar, capacity=5)


def test_c04_what_succeeded_is_a_conflict_and_stays(
    database: Database, seated: tuple[UUID, UUID, UUID]
) -> None:
    who, webinar, at = seated
    made = begin(database, of=who, plan=webinar, at=at)
    assert pay(database, made.payment) == ["scheduled"]
    with pytest.raises(NotPendingError):
        cancel(database, who, made.payment)
    assert everything(database, made)["seat"] == "CONFIRMED"


def test_c05_what_expired_or_was_cancelled_is_a_conflict(
    database: Database, seated: tuple[UUID, UUID, UUID]
) -> None:
    who, webinar, at = seated
    made = begin(database, of=who, plan=webinar, at=at)
    cancel(database, who, made.payment)
    with pytest.raises(NotPendingError):
        cancel(database, who, made.payment)
    assert everything(database, made)["taken"] == 0


@pytest.mark.parametrize("parent", ["SCHEDULED", "APPROVED"])
def test_c06_with_a_parent_that_is_settled_everything_is_rolled_back(
    operator: Database, database: Database, seated: tuple[UUID, UUID, UUID], parent: str
) -> None:
    """Invariant 70: the payment stays PENDING, its legs held, its seat taken."""
    who, webinar, at = seated
    fill(operator, who, 100)
    made = begin(database, of=who, plan=webinar, at=at, wallet_minor=100)
    before = everything(database, made)
    put(operator, made.booking, parent)
    with pytest.raises(NotPendingError):
        cancel(database, who, made.payment)
    assert everything(database, made) == {**before, "booking": parent}
    assert balance(database, AccountKind.WALLET, who) == 0
    put(operator, made.booking, "APPROVED_PENDING_PAYMENT")


def test_c07_c09_somebody_elses_payment_and_one_that_is_not_there_are_told_alike(
    operator: Database, database: Database, seated: tuple[UUID, UUID, UUID]
) -> None:
    """Invariant 71: nobody learns from the answer that it exists."""
    who, webinar, at = seated
    made = begin(database, of=who, plan=webinar, at=at)
    missing = uuid4()
    told = []
    for payment in (made.payment, missing):
        with pytest.raises(UnknownError) as refused:
            cancel(database, customer(operator), payment)
        told.append(str(refused.value).replace(str(payment), "X"))
    assert told[0] == told[1]
    assert everything(database, made)["payment"] == "PENDING"


def test_r01_of_twelve_cancels_at_once_one_is_done_and_eleven_conflict(
    database: Database, seated: tuple[UUID, UUID, UUID]
) -> None:
    """Invariant 69; limits are of the door over HTTP."""
    who, webinar, at = seated
    made = begin(database, of=who, plan=webinar, at=at)

    def try_(_: int) -> str:
        try:
            cancel(database, who, made.payment)
        except NotPendingError:
            return "conflict"
        return "done"

    with ThreadPoolExecutor(12) as pool:
        assert sorted(pool.map(try_, range(12))) == ["conflict"] * 11 + ["done"]
    assert everything(database, made)["taken"] == 0


def test_r02_a_cancel_and_the_gateways_word_at_once_end_in_one_of_three_ways(
    operator: Database, database: Database
) -> None:
    """Invariant 68: ended, or paid, or paid for nothing and owed back; never PENDING, and the books agree."""
    webinar = plan(operator)
    at = appointment(operator, webinar, capacity=AT_ONCE)
    who = [customer(operator) for _ in range(AT_ONCE)]
    made = [begin(database, of=one, plan=webinar, at=at) for one in who]
    together = Barrier(2 * AT_ONCE)

    def cancels(n: int) -> bool:
        together.wait()
        try:
            cancel(database, who[n], made[n].payment)
        except NotPendingError:
            return False
        return True

    def captures(n: int) -> str:
        together.wait()
        [word] = pay(database, made[n].payment)
        return word

    with ThreadPoolExecutor(2 * AT_ONCE) as pool:
        cancelled = [pool.submit(cancels, n) for n in range(AT_ONCE)]
        captured = [pool.submit(captures, n) for n in range(AT_ONCE)]
        ended = [(a.result(), b.result()) for a, b in zip(cancelled, captured, strict=True)]
    assert set(ended) <= {(True, "orphaned"), (False, "scheduled")}
    orphans = ended.count((True, "orphaned"))
    for (is_cancelled, _), one in zip(ended, made, strict=True):
        ends = everything(database, one)
        assert (ends["payment"], ends["orphaned"]) == ("SUCCEEDED", is_cancelled)
        assert (ends["booking"], ends["seat"]) == (
            ("CANCELLED", "RELEASED") if is_cancelled else ("SCHEDULED", "CONFIRMED")
        )
        assert ends["taken"] == AT_ONCE - orphans
    assert balance(database, AccountKind.REFUNDS_PAYABLE) == orphans * PRICE


def test_what_is_tried_again_after_a_conflict_leaves_nothing_of_the_first_try(
    operator: Database, database: Database, seated: tuple[UUID, UUID, UUID]
) -> None:
    """What the gateway is to forget is a row of the try that committed, never remembered beside it."""
    who, webinar, at = seated
    made = begin(database, of=who, plan=webinar, at=at)
    tries = list[Cancelled]()

    def work(tx: Tx) -> Cancelled:
        done = cancel_pending_checkout(tx, CustomerOwner(id=who), made.payment)
        tries.append(done)
        if len(tries) == 1:
            raise ContendedError("could not serialize access")
        return done

    done = database.transact(work)
    assert (len(tries), done.order) == (2, made.order)
    told = rows(database, "SELECT target FROM moves WHERE subject = :id", id=made.order)
    assert [row.target for row in told] == ["CLOSING"]
