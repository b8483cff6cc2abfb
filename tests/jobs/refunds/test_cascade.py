"""What was given comes into the books once: payee and platform bear it, wallet and credit have it, seats are free."""

from collections.abc import Callable

import pytest

from db.wallets.organisations import log
from domain.checkout_answers import Taken
from domain.ledger import AccountKind
from domain.owners import OrganisationOwner
from domain.payments import payee_share
from domain.ports import FrozenCall, OrderAsk
from tests.booking import PRICE, balance, end, everything
from tests.bringing import AS_OF, booked, bring, earned, offers
from tests.builders import assert_sound, change, rows
from tests.kit.world import Scene
from tests.refunding import Paid, give_back, orphan, paid, refunds

CASCADE = "refunds.cascade"
K = AccountKind
Quiet = Callable[[], int]
RECORDS = "SELECT * FROM refund_records ORDER BY recorded_at, balance_after"


def one(world: Scene, **how: object) -> Paid:
    return paid(world.operator, world.database, world.fakes.payments, **how)


def test_payee_and_platform_bear_it_by_their_shares(world: Scene, run_to_quiet: Quiet) -> None:
    made = one(world, price=9_999)
    give_back(world.database, made.payment, 3_333)
    run_to_quiet()
    share = payee_share(9_999)
    assert balance(world.owner, K.PAYEE_PAYABLE, made.consultant) == share - share * 3_333 // 9_999
    [earning] = rows(world.owner, "SELECT refunded, state FROM earnings")
    assert (earning.refunded, earning.state) == (share * 3_333 // 9_999, "READY")
    assert everything(world.owner, made.receipt)["seat"] == "CONFIRMED"
    assert_sound(world.owner)


def test_w01_a_wallet_refund_has_one_record_with_the_balance_after(
    world: Scene, run_to_quiet: Quiet
) -> None:
    """Invariant 54: given back whole: one row for the wallet's leg, with its amount and the balance after."""
    made = one(world, wallet=4_000)
    give_back(world.database, made.payment)
    run_to_quiet()
    [record] = rows(world.owner, RECORDS)
    assert (record.action, record.amount, record.balance_after) == ("wallet_refund", 4_000, 4_000)
    assert (record.owner, record.organisation) == (made.customer, False)
    assert balance(world.owner, K.WALLET, made.customer) == 4_000
    assert_sound(world.owner)


BOOKED = """
    SELECT DISTINCT r.owner, r.organisation, a.owner AS in_the_books, y.organisation AS pays
    FROM refund_records r JOIN entries e ON e.key = 'refund:' || r.refund JOIN postings p ON p.entry = e.id
    JOIN accounts a ON a.id = p.credit AND a.kind = 'wallet'
    JOIN refunds f ON f.id = r.refund JOIN payments y ON y.id = f.payment"""


def test_w01_of_an_organisations_wallet_record_and_books_name_the_organisation(
    world: Scene, run_to_quiet: Quiet
) -> None:
    """Invariant 54: that of the payment, in the record, in the books and in the organisation's own log."""
    gateway = world.fakes.payments
    made = paid(world.owner, world.database, gateway, wallet=4_000, of_organisation=True)
    give_back(world.database, made.payment)
    run_to_quiet()
    [record] = rows(world.owner, BOOKED)
    assert (record.owner, record.organisation) == (record.pays, True)
    assert record.in_the_books == str(record.pays)
    with world.operator.begin() as tx:
        newest = log(tx, OrganisationOwner(id=record.pays), limit=1)[0]
    assert (newest.fact, newest.minor, newest.balance_minor) == ("refund.given", 4_000, 4_000)
    assert newest.payment == made.payment
    assert_sound(world.owner)


def test_w02_without_an_organisation_of_the_payment_the_wallets_owner_is_named(
    world: Scene, run_to_quiet: Quiet
) -> None:
    """Invariant 54: a payment that names none; record and books say the same."""
    made = one(world, wallet=4_000)
    change(
        world.owner,
        "UPDATE payees SET kind = 'organisation' WHERE id = :id",
        id=made.customer,
    )
    give_back(world.database, made.payment)
    run_to_quiet()
    [record] = rows(world.owner, BOOKED)
    assert (record.owner, record.organisation, record.pays) == (made.customer, True, None)
    assert record.in_the_books == str(made.customer)


def test_w03_two_halves_are_one_row_each_and_no_drift(world: Scene, run_to_quiet: Quiet) -> None:
    """Invariant 53: a row each, and two halves are the whole, to the last unit."""
    made = one(world, price=9_999, wallet=4_001)
    give_back(world.database, made.payment, 4_999, "first")
    run_to_quiet()
    give_back(world.database, made.payment, 5_000, "second")
    run_to_quiet()
    records = rows(world.owner, RECORDS)
    assert [record.amount for record in records] == [
        4_001 * 4_999 // 9_999,
        4_001 - 4_001 * 4_999 // 9_999,
    ]
    assert records[-1].balance_after == 4_001
    assert balance(world.owner, K.PAYEE_PAYABLE, made.consultant) == 0
    assert balance(world.owner, K.PLATFORM_REVENUE) == 0
    assert balance(world.owner, K.GATEWAY_CLEARING) == 0
    [earning] = rows(world.owner, "SELECT state, amount - refunded AS left_minor FROM earnings")
    assert (earning.state, earning.left_minor) == ("REFUNDED", 0)
    assert_sound(world.owner)


def test_two_in_one_set_record_the_balance_after_each(world: Scene) -> None:
    made = one(world, wallet=PRICE)
    for n, amount in enumerate((1_000, 2_000)):
        give_back(world.database, made.payment, amount, f"k{n}")
    world.run(CASCADE)
    assert {row.balance_after - row.amount for row in rows(world.owner, RECORDS)} in (
        {0, 1_000},
        {0, 2_000},
    )
    assert balance(world.owner, K.WALLET, made.customer) == 3_000
    assert_sound(world.owner)


def test_w04_wallet_and_credit_are_exactly_one_wallet_record(
    world: Scene, run_to_quiet: Quiet
) -> None:
    """Invariant 54: a credit is no wallet."""
    made = one(world, wallet=4_000, credit=6_000)
    give_back(world.database, made.payment)
    run_to_quiet()
    assert [row.action for row in rows(world.owner, RECORDS)] == ["wallet_refund"]
    assert balance(world.owner, K.REFERRAL_CREDIT, made.customer) == 6_000


def test_many_small_parts_take_no_more_of_the_payee_than_their_proportion(
    world: Scene, run_to_quiet: Quiet
) -> None:
    """TRAP: floors of paisa-sized parts would leave the payee's whole share to the last one, more than it gives."""
    made = one(world, wallet=100, price=100)
    for n in range(100):
        give_back(world.database, made.payment, 1, f"k{n}")
    run_to_quiet()
    parts = [row.payee_part for row in rows(world.owner, "SELECT payee_part FROM refunds")]
    assert sum(parts) == payee_share(100)
    assert set(parts) == {0, 1}
    assert_sound(world.owner)


def test_it_comes_into_the_books_once_however_often_its_success_is_told(
    world: Scene, run_to_quiet: Quiet
) -> None:
    """Invariant 55: cascade runs once however many times gateway/webhook/cron report success."""
    made = one(world, wallet=PRICE)
    receipt = give_back(world.database, made.payment)
    run_to_quiet()
    # A second row that calls for it, as after a restore: nothing is done again.
    change(
        world.owner,
        "INSERT INTO work (job, subject) VALUES (:job, :id)",
        job=CASCADE,
        id=receipt.refund,
    )
    assert world.run(CASCADE).tally["succeeded"] == 0
    assert len(rows(world.owner, "SELECT FROM entries WHERE type = 'refund.given'")) == 1
    assert balance(world.owner, K.WALLET, made.customer) == PRICE
    assert_sound(world.owner)


def test_an_orphan_gives_back_what_is_owed_and_heals(world: Scene, run_to_quiet: Quiet) -> None:
    made = orphan(world.operator, world.database, world.fakes.payments, wallet=4_000)
    assert balance(world.owner, K.REFUNDS_PAYABLE) == 6_000
    give_back(world.database, made.payment)
    run_to_quiet()
    assert balance(world.owner, K.REFUNDS_PAYABLE) == 0
    assert balance(world.owner, K.WALLET, made.customer) == 4_000
    assert list(refunds(world.owner).values()) == ["CASCADED"]
    [payment] = rows(world.owner, "SELECT given_back FROM payments")
    assert payment.given_back
    assert_sound(world.owner)


@pytest.mark.parametrize("kind", ["webinar", "consultation"])
def test_what_is_given_back_whole_holds_no_seat(
    world: Scene, run_to_quiet: Quiet, kind: str
) -> None:
    made = one(world, kind=kind)
    give_back(world.database, made.payment)
    run_to_quiet()
    found = everything(world.owner, made.receipt)
    assert (found["booking"], found["seat"], found["taken"]) == ("CANCELLED", "RELEASED", 0)
    assert found["appointment"] == ("PLANNED" if kind == "webinar" else "CANCELLED")
    assert_sound(world.owner)


def test_what_has_taken_place_stays_as_it_was(world: Scene, run_to_quiet: Quiet) -> None:
    made = one(world)
    end(world.owner, *[row.id for row in rows(world.owner, "SELECT id FROM appointments")])
    run_to_quiet()
    give_back(world.database, made.payment)
    run_to_quiet()
    found = everything(world.owner, made.receipt)
    assert (found["booking"], found["seat"]) == ("COMPLETED", "CONFIRMED")
    assert_sound(world.owner)


def test_what_another_system_captured_is_given_back_out_of_its_opening(
    world: Scene, run_to_quiet: Quiet
) -> None:
    """Its books had the platform's part; its earning was taken over, and is owed no more."""
    gateway = world.fakes.payments
    asked = OrderAsk(reference="OLD-1", amount_minor=PRICE, currency="INR")
    body = gateway.freeze_order(asked)
    order = gateway.create_order(FrozenCall("old", body, "OLD-1", PRICE, "INR"))
    assert isinstance(order, Taken)
    name = order.thing.provider_id
    offers(world.operator)
    earned(world.operator, "S-1", payee="Asha", gross="100.00")
    paid_there = {
        "amount": "100.00",
        "currency": "INR",
        "paid_at": "2026-03-30T12:00:00Z",
        "gateway": "razorpay",
        "order_id": name,
        "payment_id": gateway.capture(name),
        "earning": "S-1",
    }
    bring(world.operator, "bookings", booked(**paid_there), as_of=AS_OF)
    [payment] = rows(world.owner, "SELECT id FROM payments")
    give_back(world.database, payment.id)
    run_to_quiet()
    assert list(refunds(world.owner).values()) == ["CASCADED"]
    assert [row.state for row in rows(world.owner, "SELECT state FROM earnings")] == ["REFUNDED"]
    assert balance(world.owner, K.OPENING_BALANCES) == -PRICE
    assert balance(world.owner, K.GATEWAY_CLEARING) == PRICE
    [booking] = rows(world.owner, "SELECT state FROM bookings")
    assert booking.state == "CANCELLED"
    assert_sound(world.owner)
