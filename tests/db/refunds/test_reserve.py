"""What is reserved for refunds: never more than was paid, once for each key, and who is refused why."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from db import switches
from db.earnings import deciding
from db.errors import RuleBrokenError
from db.refunds.reserve import own_receipt, reserve_own
from domain.booking_errors import KeyReusedError
from domain.owners import CustomerOwner
from domain.refund_errors import (
    DisputedError,
    ExceedsRefundableError,
    FullyRefundedError,
    InvalidAmountError,
    PaymentNotFoundError,
    PaymentNotSucceededError,
)
from domain.switches import MAKER_CHECKER
from tests.booking import PRICE
from tests.builders import assert_sound, change, rows
from tests.kit.world import Scene
from tests.refunding import Paid, asking, dispute, give_back, orphan, paid, under_way

LEFT = "SELECT kind, amount - given_back AS left_minor FROM payment_legs ORDER BY kind"

OF_OWN_LEG = """
    INSERT INTO refunds (id, payment, origin, scope, actor, key, request_hash, amount, gateway, wallet, referral_credit,
                         currency, why, asked_by, state, effect_key)
    SELECT gen_random_uuid(), o.payment, 'asked', 'shell', '', o.state, '', 100, 0,
           CASE '?' WHEN 'wallet' THEN 100 ELSE 0 END, CASE '?' WHEN 'wallet' THEN 0 ELSE 100 END, 'INR', 'ill', 'asha',
           o.state, gen_random_uuid()
    FROM (SELECT CAST(:payment AS uuid) AS payment, CAST(:state AS text) AS state) o"""


def one(world: Scene, **how: object) -> Paid:
    return paid(world.operator, world.database, world.fakes.payments, **how)


def left(world: Scene) -> dict[str, int]:
    return {row.kind: row.left_minor for row in rows(world.owner, LEFT)}


def test_a_refund_is_reserved_of_each_leg_and_waits_for_its_gateway(world: Scene) -> None:
    made = one(world, wallet=3_000, credit=1_000)
    receipt = give_back(world.database, made.payment, 5_000)
    assert (receipt.state, receipt.amount_minor, receipt.gateway_minor) == (
        "RESERVED",
        5_000,
        3_000,
    )
    assert left(world) == {"gateway": 3_000, "referral_credit": 500, "wallet": 1_500}
    jobs = rows(world.owner, "SELECT job FROM work WHERE subject = :id", id=receipt.refund)
    assert [row.job for row in jobs] == ["refunds.submit"]
    assert_sound(world.owner)


def test_what_no_gateway_paid_is_given_back_by_the_books_alone(world: Scene) -> None:
    made = one(world, wallet=PRICE)
    receipt = give_back(world.database, made.payment)
    assert (receipt.state, receipt.gateway_minor) == ("SUCCEEDED", 0)
    assert_sound(world.owner)


def test_fifty_at_once_take_no_more_than_was_paid(world: Scene) -> None:
    """Invariant 52: Σ refunds (pending+succeeded) ≤ captured amount, also under 50 parallel refund requests."""
    made = one(world, wallet=3_333)

    def ask(n: int) -> str:
        try:
            return give_back(world.database, made.payment, 1_000, f"k-{n}").state
        except (ExceedsRefundableError, FullyRefundedError) as refused:
            return refused.code

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(ask, range(50)))
    assert said.count("RESERVED") == PRICE // 1_000
    assert said.count("ALREADY_FULLY_REFUNDED") == 50 - PRICE // 1_000
    assert left(world) == {"gateway": 0, "wallet": 0}
    assert_sound(world.owner)


def test_the_same_key_is_the_same_refund_and_with_another_amount_an_error(world: Scene) -> None:
    made = one(world)
    first = give_back(world.database, made.payment, 1_000)
    again = give_back(world.database, made.payment, 1_000)
    assert (again.refund, again.replayed, first.replayed) == (first.refund, True, False)
    with pytest.raises(KeyReusedError):
        give_back(world.database, made.payment, 2_000)
    assert left(world) == {"gateway": PRICE - 1_000}


def test_a_payment_there_is_not_is_not_found(world: Scene) -> None:
    """PAYMENT_NOT_FOUND: missing, or somebody else's: nobody is told which."""
    made = one(world)
    with pytest.raises(PaymentNotFoundError):
        give_back(world.database, uuid4())
    mine, others = CustomerOwner(id=made.customer), CustomerOwner(id=uuid4())
    with pytest.raises(PaymentNotFoundError):
        world.database.transact(lambda tx: reserve_own(tx, others, asking(made.payment)))
    receipt = world.database.transact(lambda tx: reserve_own(tx, mine, asking(made.payment)))
    with world.database.begin() as tx:
        assert own_receipt(tx, mine, receipt.refund).refund == receipt.refund
        with pytest.raises(PaymentNotFoundError):
            own_receipt(tx, others, receipt.refund)


def test_what_was_not_captured_is_not_given_back(world: Scene) -> None:
    """PAYMENT_NOT_SUCCEEDED."""
    made = under_way(world.operator, world.database)
    with pytest.raises(PaymentNotSucceededError):
        give_back(world.database, made.payment)


def test_what_was_given_back_is_not_given_back_again(world: Scene) -> None:
    """ALREADY_FULLY_REFUNDED: what is on its way counts as given."""
    made = one(world)
    give_back(world.database, made.payment)
    with pytest.raises(FullyRefundedError):
        give_back(world.database, made.payment, 1, "another")


def test_an_open_dispute_blocks_a_refund(world: Scene) -> None:
    """REFUND_BLOCKED_BY_DISPUTE."""
    made = one(world)
    world.operator.transact(
        lambda tx: deciding.hold(tx, [made.payment], actor="asha", why="a complaint")
    )
    with pytest.raises(DisputedError):
        give_back(world.database, made.payment)


def test_an_open_dispute_of_an_orphan_blocks_its_refund(world: Scene) -> None:
    """REFUND_BLOCKED_BY_DISPUTE: it has no earning to be held, and its bank may give it back all the same."""
    made = orphan(world.operator, world.database, world.fakes.payments)
    dispute(world.operator, made)
    with pytest.raises(DisputedError):
        give_back(world.database, made.payment)


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_and_less_is_no_amount(world: Scene, amount: int) -> None:
    """INVALID_AMOUNT."""
    made = one(world)
    with pytest.raises(InvalidAmountError):
        give_back(world.database, made.payment, amount)


def test_more_than_is_left_is_refused_whole(world: Scene) -> None:
    """AMOUNT_EXCEEDS_REFUNDABLE: nothing of it is reserved."""
    made = one(world)
    give_back(world.database, made.payment, PRICE - 100)
    with pytest.raises(ExceedsRefundableError):
        give_back(world.database, made.payment, 101, "another")
    assert left(world) == {"gateway": 100}


def test_of_an_orphan_only_what_is_owed_is_given_back(world: Scene) -> None:
    """Its wallet's leg was released when its checkout was cancelled: the gateway's part alone is owed."""
    made = orphan(world.operator, world.database, world.fakes.payments, wallet=4_000)
    with pytest.raises(ExceedsRefundableError):
        give_back(world.database, made.payment, PRICE)
    receipt = give_back(world.database, made.payment)
    assert (receipt.amount_minor, receipt.gateway_minor) == (PRICE - 4_000, PRICE - 4_000)


@pytest.mark.parametrize("leg", ["wallet", "referral_credit"])
def test_what_an_orphans_checkout_gave_back_the_database_gives_back_to_nobody(
    world: Scene, leg: str
) -> None:
    """Whoever writes it: new, or FAILED and tried again."""
    made = orphan(world.operator, world.database, world.fakes.payments, wallet=2_000, credit=2_000)
    with pytest.raises(RuleBrokenError) as refused:
        change(world.owner, OF_OWN_LEG.replace("?", leg), payment=made.payment, state="PROPOSED")
    assert refused.value.constraint == "refunds_are_of_what_is_owed"
    change(world.owner, OF_OWN_LEG.replace("?", leg), payment=made.payment, state="FAILED")
    with pytest.raises(RuleBrokenError) as refused:
        change(world.owner, "UPDATE refunds SET state = 'SUCCEEDED'")
    assert refused.value.constraint == "refunds_are_of_what_is_owed"


def test_while_four_eyes_are_needed_an_operators_refund_waits_for_another(world: Scene) -> None:
    made = one(world)
    with world.operator.begin() as tx:
        switches.turn(tx, MAKER_CHECKER, on=True, who="asha", why="policy")
    receipt = give_back(world.database, made.payment, 1_000)
    assert receipt.state == "PROPOSED"
    owner = CustomerOwner(id=made.customer)
    decided = world.database.transact(
        lambda tx: reserve_own(tx, owner, asking(made.payment, 1_000, "by an application"))
    )
    assert decided.state == "RESERVED"
    assert left(world) == {"gateway": PRICE - 2_000}
    assert_sound(world.owner)
