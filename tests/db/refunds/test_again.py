"""What a gateway took back after it was in the books is owed again, and given again once, by two people."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from db.errors import RuleBrokenError
from db.inbox.heard import Word
from db.refunds.again import propose
from db.refunds.decide import Decision, decide
from db.refunds.hearing import hear
from db.refunds.reserve import Receipt
from domain.checkout_answers import RefundStatus
from domain.errors import NotFoundError
from domain.ledger import AccountKind
from domain.refund_errors import FullyRefundedError, NotTakenBackError
from tests.booking import PRICE, balance
from tests.builders import assert_sound, change, rows
from tests.kit.world import Scene
from tests.refunding import Paid, give_back, paid, refunds
from workers.sandbox.faults import Fault

KEPT = 4_000
"""What a wallet paid."""


@pytest.fixture
def given(world: Scene, run_to_quiet: Callable[[], int]) -> tuple[Paid, UUID]:
    """A payment that was given back whole, a part of it into a wallet, and is in the books."""
    made = paid(world.operator, world.database, world.fakes.payments, wallet=KEPT)
    refund = give_back(world.database, made.payment).refund
    run_to_quiet()
    assert refunds(world.owner) == {refund: "CASCADED"}
    return made, refund


def taken_back(world: Scene, at: int = 0) -> None:
    """The gateway says that one of its refunds failed after all."""
    theirs = world.fakes.payments.refunds[at]
    world.fakes.payments._failing.add(theirs.provider_id)
    failed = replace(theirs, status=RefundStatus.FAILED, raw_status="failed")
    word = Word(event=uuid4(), provider="razorpay", is_fresh=False, told=failed)
    world.database.transact(lambda tx: hear(tx, [word], run=7))


def again(world: Scene, refund: UUID, by: str = "asha") -> Receipt:
    return world.operator.transact(
        lambda tx: propose(tx, refund, by=by, why="their account is closed")
    )


def approved(world: Scene, refund: UUID, by: str) -> str:
    with world.operator.begin() as tx:
        [moved] = decide(tx, Decision.APPROVE, [refund], actor=by, why="seen there")
    return moved.outcome


def open_findings(world: Scene) -> list[str]:
    return [
        row.kind for row in rows(world.owner, "SELECT kind FROM findings WHERE resolved_at IS NULL")
    ]


def test_it_is_given_again_by_two_people_and_nobody_bears_it_twice(
    world: Scene, run_to_quiet: Callable[[], int], given: tuple[Paid, UUID]
) -> None:
    """Whether or not `policy:maker-checker` is on."""
    made, refund = given
    books = {
        kind: balance(world.owner, kind)
        for kind in (AccountKind.GATEWAY_CLEARING, AccountKind.PLATFORM_REVENUE)
    }
    taken_back(world)
    receipt = again(world, refund)
    assert (receipt.state, receipt.amount_minor, receipt.gateway_minor) == (
        "PROPOSED",
        PRICE - KEPT,
        PRICE - KEPT,
    )
    assert balance(world.owner, AccountKind.REFUNDS_PAYABLE) == PRICE - KEPT
    assert_sound(world.owner)
    assert approved(world, receipt.refund, "asha") == "own"
    assert approved(world, receipt.refund, "ravi") == "moved"
    run_to_quiet()
    assert refunds(world.owner) == {refund: "CASCADED", receipt.refund: "CASCADED"}
    assert len(world.fakes.payments.refunds) == 2
    assert balance(world.owner, AccountKind.REFUNDS_PAYABLE) == 0
    assert books == {kind: balance(world.owner, kind) for kind in books}
    assert balance(world.owner, AccountKind.WALLET, made.customer) == KEPT
    assert open_findings(world) == []
    assert_sound(world.owner)


def test_it_is_proposed_once_for_ever(world: Scene, given: tuple[Paid, UUID]) -> None:
    _, refund = given
    taken_back(world)
    first, second = again(world, refund), again(world, refund, "ravi")
    assert (second.refund, second.replayed, first.replayed) == (first.refund, True, False)
    assert balance(world.owner, AccountKind.REFUNDS_PAYABLE) == PRICE - KEPT


def test_what_its_gateway_took_back_too_is_given_again_anew(
    world: Scene, run_to_quiet: Callable[[], int], given: tuple[Paid, UUID]
) -> None:
    _, refund = given
    for n in range(2):
        taken_back(world, n)
        receipt = again(world, refund)
        assert approved(world, receipt.refund, "ravi") == "moved"
        run_to_quiet()
        refund = receipt.refund
    assert set(refunds(world.owner).values()) == {"CASCADED"}
    assert len(world.fakes.payments.refunds) == 3
    assert_sound(world.owner)


def test_what_is_refused_again_is_tried_again_and_frees_no_leg(
    world: Scene, run_to_quiet: Callable[[], int], given: tuple[Paid, UUID]
) -> None:
    made, refund = given
    taken_back(world)
    receipt = again(world, refund)
    world.fakes.payments.script(Fault.REFUSE)
    approved(world, receipt.refund, "ravi")
    run_to_quiet()
    assert refunds(world.owner)[receipt.refund] == "FAILED"
    with pytest.raises(FullyRefundedError):
        give_back(world.database, made.payment, key="instead")
    with world.operator.begin() as tx:
        [moved] = decide(tx, Decision.RETRY, [receipt.refund], actor="asha", why="once more")
    assert moved.outcome == "moved"
    run_to_quiet()
    assert refunds(world.owner)[receipt.refund] == "CASCADED"
    assert_sound(world.owner)


def test_what_nobody_took_back_is_not_given_again(world: Scene, given: tuple[Paid, UUID]) -> None:
    _, refund = given
    with pytest.raises(NotTakenBackError):
        again(world, refund)
    with pytest.raises(NotFoundError):
        again(world, uuid4())


def test_what_failed_and_was_given_after_all_is_not_given_again(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    """Its finding is of the same kind: the gateway's word counts, not that."""
    made = paid(world.operator, world.database, world.fakes.payments)
    refund = give_back(world.database, made.payment).refund
    world.run("refunds.submit")
    theirs = world.fakes.payments.refunds[0]
    world.fakes.payments._failing.add(theirs.provider_id)
    run_to_quiet()
    word = Word(
        event=uuid4(),
        provider="razorpay",
        is_fresh=False,
        told=replace(theirs, status=RefundStatus.SUCCEEDED, raw_status="processed"),
    )
    world.database.transact(lambda tx: hear(tx, [word], run=7))
    run_to_quiet()
    assert refunds(world.owner) == {refund: "CASCADED"}
    with pytest.raises(NotTakenBackError):
        again(world, refund)


AGAIN = """
    INSERT INTO refunds (id, payment, origin, again_of, scope, actor, key, request_hash, amount, gateway, wallet,
                         referral_credit, currency, why, asked_by, state, effect_key)
    SELECT gen_random_uuid(), payment, 'again', id, 'again', '', 'k', '', CAST(:amount AS bigint), :amount, 0, 0,
           currency, 'so', 'asha', 'PROPOSED', gen_random_uuid() FROM refunds"""


@pytest.mark.parametrize(("is_taken_back", "more"), [(False, 0), (True, 1), (True, -1)])
def test_the_database_gives_again_nothing_but_what_was_taken_back(
    world: Scene,
    given: tuple[Paid, UUID],
    is_taken_back: bool,  # noqa: FBT001 - a case of the test
    more: int,
) -> None:
    """It takes from no leg, so nothing else would hold it to what was paid."""
    assert refunds(world.owner) == {given[1]: "CASCADED"}
    if is_taken_back:
        taken_back(world)
    with pytest.raises(RuleBrokenError) as refused:
        change(world.owner, AGAIN, amount=PRICE - KEPT + more)
    assert refused.value.constraint == "refunds_again_were_taken_back"
