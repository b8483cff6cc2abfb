"""A checkout holds what it asks for, once, under lock; or nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from db.engine import Database
from db.errors import RuleBrokenError
from domain.booking_errors import (
    KeyReusedError,
    NotOpenError,
    SoldOutError,
    TimeTakenError,
    TooLittleError,
    UnknownError,
)
from domain.errors import BadInputError
from domain.ledger import AccountKind
from tests.booking import (
    HOUR,
    NOON,
    PRICE,
    appointment,
    balance,
    begin,
    consultant,
    customer,
    everything,
    fill,
    offering,
    plan,
    state,
    wish,
)
from tests.builders import change, rows

STORM = 50


def test_a_checkout_of_a_webinar_holds_places_makes_an_order_and_waits_for_the_money(
    operator: Database, database: Database
) -> None:
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar, capacity=5)
    made = begin(database, of=who, plan=webinar, at=at, places=2)
    assert (made.amount_minor, made.gateway_minor, made.replayed) == (2 * PRICE, 2 * PRICE, False)
    assert everything(database, made) == {
        "payment": "PENDING",
        "booking": "APPROVED_PENDING_PAYMENT",
        "seat": "TENTATIVE",
        "appointment": "PLANNED",
        "taken": 2,
        "order": "NEW",
        "orphaned": False,
    }
    waits = rows(database, "SELECT job, due_at - clock_timestamp() AS left FROM work ORDER BY job")
    assert [row.job for row in waits] == [
        "bookings.complete",
        "bookings.expire_checkouts",
        "bookings.open_orders",
        "bookings.release_tentative",
    ]
    assert timedelta(minutes=34) < waits[1].left < timedelta(minutes=36)
    assert timedelta(hours=23) < waits[3].left < timedelta(hours=25)


def test_a_checkout_of_a_consultation_makes_an_appointment_of_its_own_and_holds_the_time(
    operator: Database, database: Database
) -> None:
    who = customer(operator)
    private = plan(operator, "consultation")
    made = begin(database, of=who, plan=private, starts=(NOON,))
    assert everything(database, made)["appointment"] == "TENTATIVE"
    assert [row.confirmed for row in rows(database, "SELECT confirmed FROM slots")] == [False]
    with pytest.raises(TimeTakenError):
        begin(database, "another", of=who, plan=private, starts=(NOON + HOUR / 2,))
    begin(database, "next", of=who, plan=private, starts=(NOON + HOUR,))


def test_a_subscription_takes_all_its_times_or_none(operator: Database, database: Database) -> None:
    """A stale look at availability: one of three times was confirmed meanwhile."""
    whose, who = consultant(operator), customer(operator)
    three = plan(operator, "subscription", of=whose, times=3)
    week = tuple(NOON + n * timedelta(days=7) for n in range(3))
    appointment(operator, plan(operator, of=whose), starts=(week[2],))
    with pytest.raises(TimeTakenError):
        begin(database, of=who, plan=three, starts=week)
    assert rows(database, "SELECT FROM bookings") == []
    begin(database, of=who, plan=three, starts=tuple(at + HOUR for at in week))
    assert len(rows(database, "SELECT FROM slots WHERE NOT confirmed")) == 3


@pytest.mark.parametrize(
    "times", [(NOON,), (NOON, NOON + HOUR / 2), (NOON.replace(year=2020), NOON)]
)
def test_times_that_a_plan_cannot_have_are_bad_input(
    operator: Database, database: Database, times: tuple[object, ...]
) -> None:
    two = plan(operator, "subscription", times=2)
    with pytest.raises(BadInputError):
        begin(database, of=customer(operator), plan=two, starts=times)


def test_r05_a_checkout_asked_for_again_under_its_key_is_one_payment_and_the_same_answer(
    operator: Database, database: Database
) -> None:
    """Sixteen at once with one key."""
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar, capacity=50)
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: begin(database, of=who, plan=webinar, at=at), range(16)))
    assert len({one.payment for one in made}) == 1
    assert sorted(one.replayed for one in made) == [False, *[True] * 15]
    assert everything(database, made[0])["taken"] == 1
    with pytest.raises(KeyReusedError):
        begin(database, of=who, plan=webinar, at=at, places=2)


def test_r03_of_a_last_seat_storm_exactly_the_capacity_is_held(
    operator: Database, database: Database
) -> None:
    """Invariant 73: fifty at once want one of seven places."""
    webinar = plan(operator)
    at = appointment(operator, webinar, capacity=7)
    who = [customer(operator) for _ in range(STORM)]

    def wants(id_: UUID) -> bool:
        try:
            begin(database, of=id_, plan=webinar, at=at)
        except SoldOutError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(wants, who)) == 7
    assert len(rows(database, "SELECT FROM payments")) == 7
    assert len(rows(database, "SELECT FROM seats WHERE state = 'TENTATIVE'")) == 7


def test_more_than_there_is_is_refused_by_the_database_too(operator: Database) -> None:
    """Invariant 73, whatever the code does."""
    appointment(operator, plan(operator), capacity=7)
    with pytest.raises(RuleBrokenError) as refused:
        change(operator, "UPDATE appointments SET taken = 8")
    assert refused.value.constraint == "taken_is_within_capacity"


def test_legs_that_are_ours_are_taken_at_once_and_what_is_not_there_is_not_taken(
    operator: Database, database: Database
) -> None:
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar, capacity=5)
    fill(operator, who, 3_000)
    fill(operator, who, 1_000, AccountKind.REFERRAL_CREDIT)
    holds = balance(database, AccountKind.CHECKOUT_HOLDS)
    made = begin(database, of=who, plan=webinar, at=at, wallet_minor=3_000, credit_minor=1_000)
    assert made.gateway_minor == PRICE - 4_000
    assert balance(database, AccountKind.WALLET, who) == 0
    assert balance(database, AccountKind.REFERRAL_CREDIT, who) == 0
    assert balance(database, AccountKind.CHECKOUT_HOLDS) == holds + 4_000
    with pytest.raises(TooLittleError):
        begin(database, "more", of=who, plan=webinar, at=at, wallet_minor=1)
    assert everything(database, made)["taken"] == 1


def test_what_wallet_and_credit_pay_wholly_is_scheduled_at_once_without_a_gateway(
    operator: Database, database: Database
) -> None:
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar)
    fill(operator, who, PRICE)
    made = begin(database, of=who, plan=webinar, at=at, wallet_minor=PRICE)
    assert (made.state, made.order, made.gateway_minor) == ("SUCCEEDED", None, 0)
    assert everything(database, made)["seat"] == "CONFIRMED"
    assert balance(database, AccountKind.PLATFORM_REVENUE) == PRICE // 5


def test_a_wish_that_was_approved_is_paid_by_its_own_customer_once(
    operator: Database, database: Database
) -> None:
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar, capacity=5)
    asked = wish(operator, of=who, plan=webinar)
    with pytest.raises(UnknownError):
        begin(database, of=customer(operator), plan=webinar, at=at, booking=asked)
    made = begin(database, of=who, plan=webinar, at=at, booking=asked)
    assert (made.booking, state(database, "bookings", asked)) == (asked, "APPROVED_PENDING_PAYMENT")
    with pytest.raises(NotOpenError):
        begin(database, "again", of=who, plan=webinar, at=at, booking=asked)


def test_what_there_is_not_is_unknown_and_what_is_over_is_not_open(
    operator: Database, database: Database
) -> None:
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar)
    past = appointment(operator, plan(operator), starts=(NOON.replace(year=2020),))
    for asked in (
        {"of": uuid4(), "plan": webinar, "at": at},
        {"of": who, "plan": uuid4(), "at": at},
        {"of": who, "plan": webinar, "at": uuid4()},
        {"of": who, "plan": webinar, "at": past},
    ):
        with pytest.raises(UnknownError):
            begin(database, "k", **asked)
    change(operator, "UPDATE appointments SET state = 'OVER' WHERE id = :id", id=at)
    with pytest.raises(NotOpenError):
        begin(database, of=who, plan=webinar, at=at)
    change(operator, "UPDATE appointments SET state = 'PLANNED' WHERE id = :id", id=at)
    change(operator, "DELETE FROM work")
    change(
        operator, "INSERT INTO work (job, subject) SELECT 'bookings.complete', id FROM appointments"
    )


def test_what_a_payout_of_the_wallet_waits_for_pays_no_booking(
    operator: Database, database: Database
) -> None:
    """A wallet has more than it may spend: what is to be paid out of it is spoken for."""
    webinar, who = plan(operator), customer(operator)
    at = appointment(operator, webinar, capacity=5)
    fill(operator, who, 3_000)
    change(
        operator,
        """WITH account AS (INSERT INTO payout_accounts (id, payee, fund_account_id)
                            VALUES (gen_random_uuid(), :who, 'fa_1') RETURNING id)
           INSERT INTO payouts (id, external_id, payee, account, payable, amount, currency, purpose, narration,
                                content_hash, created_by, source, payee_kind, wallet)
           SELECT gen_random_uuid(), 'P', :who, a.id, w.account, 2500, 'INR', 'payout', 'x', '', 'test', 'wallets',
                  'person', w.id
           FROM account a, wallets w""",
        who=who,
    )
    with pytest.raises(TooLittleError):
        begin(database, of=who, plan=webinar, at=at, wallet_minor=501)
    begin(database, of=who, plan=webinar, at=at, wallet_minor=500)


def test_a_consultant_is_no_participant_of_their_own(
    operator: Database, database: Database
) -> None:
    who = customer(operator)
    webinar = plan(operator, of=offering(operator, who))
    with pytest.raises(NotOpenError):
        begin(database, of=who, plan=webinar, at=appointment(operator, webinar))
