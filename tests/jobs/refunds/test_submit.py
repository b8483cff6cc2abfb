"""Refunds are asked of the gateway, each at most once: what it says decides, and nothing is guessed."""

from collections.abc import Callable

import pytest

from db.refunds.decide import Decision, decide
from domain.checkout_answers import RefundStatus
from domain.ledger import AccountKind
from domain.telling import DisputeStatus
from tests.booking import PRICE, balance
from tests.builders import assert_sound, change, rows
from tests.kit.world import Scene
from tests.refunding import dispute, give_back, paid, refunds
from workers.sandbox.faults import Fault

SUBMIT, RECOVER, CASCADE = "refunds.submit", "refunds.recover", "refunds.cascade"
WORK = "SELECT job, last_error, parked_reason FROM work WHERE subject IN (SELECT id FROM refunds)"


def asked(world: Scene, amount: int | None = None, **how: object) -> None:
    """A refund of a payment, to be asked of the gateway."""
    made = paid(world.operator, world.database, world.fakes.payments, **how)
    give_back(world.database, made.payment, amount)


def states(world: Scene) -> list[str]:
    return list(refunds(world.owner).values())


def test_a_refund_is_asked_for_under_the_key_of_its_row_and_waits_while_it_is_pending(
    world: Scene,
) -> None:
    """TRAP, phase 2: the gateway is called outside every transaction, key = the effect's, made from the row's id."""
    asked(world, 5_000)
    assert world.run(SUBMIT).tally["waiting"] == 1
    [sent] = [one for one in world.fakes.payments.sends if one.what == "refund"]
    [row] = rows(world.owner, "SELECT id, effect_key, given_as FROM refunds")
    assert (sent.key, sent.reference) == (row.effect_key.hex, str(row.id))
    assert row.given_as == world.fakes.payments.refunds[0].provider_id
    assert states(world) == ["PROCESSING"]
    assert [one.job for one in rows(world.owner, WORK)] == [RECOVER]
    assert_sound(world.owner)


def test_it_comes_into_the_books_once_the_gateway_gave_it(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    """TRAP, phase 4: SUCCEEDED and its cascade."""
    asked(world, 5_000)
    run_to_quiet()
    assert states(world) == ["CASCADED"]
    assert balance(world.owner, AccountKind.GATEWAY_CLEARING) == -(PRICE - 5_000)
    assert world.fakes.payments.refunds[0].amount_minor == 5_000
    assert_sound(world.owner)


def test_what_is_refused_fails_frees_what_was_reserved_and_is_not_in_the_books(
    world: Scene,
) -> None:
    """TRAP, phase 4: FAILED means no cascade."""
    asked(world, 5_000)
    world.fakes.payments.script(Fault.REFUSE)
    assert world.run(SUBMIT).tally["failed"] == 1
    assert states(world) == ["FAILED"]
    assert rows(world.owner, "SELECT FROM entries WHERE type = 'refund.given'") == []
    assert [row.given_back for row in rows(world.owner, "SELECT given_back FROM payment_legs")] == [
        0
    ]
    [told] = rows(world.owner, "SELECT kind FROM findings")
    assert told.kind == "refund-failed"
    assert rows(world.owner, WORK) == []
    assert_sound(world.owner)


def test_what_never_left_is_put_back_and_tried_again_under_its_key(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    asked(world)
    world.fakes.payments.unreachable = "no route"
    assert world.run(SUBMIT).tally["put_back"] == 1
    assert states(world) == ["RESERVED"]
    assert_sound(world.owner)
    world.fakes.payments.unreachable = None
    run_to_quiet()
    assert states(world) == ["CASCADED"]
    assert len(world.fakes.payments.refunds) == 1


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.ERROR, Fault.RATE_LIMIT])
def test_a_lost_reply_is_unknown_and_is_never_given_twice(
    world: Scene, run_to_quiet: Callable[[], int], fault: Fault
) -> None:
    asked(world, wallet=1_000)
    world.fakes.payments.script(fault)
    assert world.run(SUBMIT).tally["unknown"] == 1
    assert states(world) == ["PROCESSING"]
    assert_sound(world.owner)
    run_to_quiet()
    assert states(world) == ["CASCADED"]
    assert len(world.fakes.payments.refunds) == 1
    assert_sound(world.owner)


def test_a_refusal_of_the_gateways_keys_refuses_nobody(world: Scene) -> None:
    asked(world)
    world.fakes.payments.script(Fault.UNAUTHORISED)
    world.run(SUBMIT)
    assert states(world) == ["RESERVED"]
    [brake] = rows(world.owner, "SELECT name FROM switches WHERE is_on AND name LIKE 'brake:%'")
    assert brake.name == "brake:razorpay:fake"
    assert world.run(SUBMIT).tally["processed"] == 0


def test_a_refund_whose_capture_has_no_name_waits_for_it(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    asked(world)
    kept = rows(world.owner, "SELECT id, captured_as FROM orders")[0]
    change(world.owner, "UPDATE orders SET captured_as = NULL")
    assert world.run(SUBMIT).tally["processed"] == 0
    [waits] = rows(world.owner, WORK)
    assert (waits.job, waits.parked_reason) == (SUBMIT, None)
    assert "is not known yet" in waits.last_error
    change(world.owner, "UPDATE orders SET captured_as = :name", name=kept.captured_as)
    run_to_quiet()
    assert states(world) == ["CASCADED"]


def test_what_another_gateway_captured_is_not_asked_of_this_one(world: Scene) -> None:
    """Its refusal would prove nothing: whoever configures gateways looks."""
    asked(world)
    change(world.owner, "UPDATE orders SET provider = 'stripe'")
    world.run(SUBMIT)
    assert (states(world), world.fakes.payments.sends[1:]) == (["RESERVED"], [])
    [waits] = rows(world.owner, WORK)
    assert "captured by stripe" in (waits.parked_reason or "")
    assert_sound(world.owner)


def test_what_is_disputed_before_it_was_sent_waits_for_the_end_of_that(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    """Its bank may give the same money back: nothing is sent beside that."""
    made = paid(world.operator, world.database, world.fakes.payments)
    give_back(world.database, made.payment, 5_000)
    dispute(world.operator, made)
    assert world.run(SUBMIT).tally["processed"] == 0
    assert (states(world), world.fakes.payments.refunds) == (["RESERVED"], [])
    [waits] = rows(world.owner, WORK)
    assert (waits.job, waits.parked_reason) == (SUBMIT, None)
    assert "a dispute" in waits.last_error
    assert_sound(world.owner)
    dispute(world.operator, made, DisputeStatus.WON)
    run_to_quiet()
    assert states(world) == ["CASCADED"]
    assert_sound(world.owner)


def test_what_the_gateway_takes_no_request_for_fails_unsent(world: Scene) -> None:
    """Razorpay gives back a rupee at least."""
    asked(world, 99)
    world.run(SUBMIT)
    [row] = rows(world.owner, "SELECT state, error FROM refunds")
    assert row.state == "FAILED"
    assert "must be at least 100 paise" in row.error
    assert [one for one in world.fakes.payments.sends if one.what == "refund"] == []
    assert_sound(world.owner)


def test_an_answer_that_contradicts_the_request_waits_for_a_person(world: Scene) -> None:
    asked(world)
    world.fakes.payments.script(Fault.WRONG_AMOUNT)
    world.run(SUBMIT)
    [waits] = rows(world.owner, WORK)
    assert waits.job == RECOVER
    assert "contradicts" in waits.parked_reason
    [told] = rows(world.owner, "SELECT kind FROM findings")
    assert told.kind == "refund-answer-mismatch"


def test_a_refund_that_was_tried_again_has_another_key_and_reference(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    asked(world)
    world.fakes.payments.script(Fault.REFUSE)
    world.run(SUBMIT)
    ids = list(refunds(world.owner))
    with world.operator.begin() as tx:
        [moved] = decide(tx, Decision.RETRY, ids, actor="asha", why="their bank is open again")
    assert moved.outcome == "moved"
    run_to_quiet()
    assert states(world) == ["CASCADED"]
    first, second = [one for one in world.fakes.payments.sends if one.what == "refund"]
    assert first.key != second.key
    assert second.reference == f"{first.reference}-2"
    assert world.fakes.payments.refunds[0].status is RefundStatus.PENDING
    assert_sound(world.owner)
