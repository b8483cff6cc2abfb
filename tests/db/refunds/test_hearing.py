"""What gateways say of refunds by themselves, in any order: settled once, asked about, taken over, or contradicted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from uuid import UUID, uuid4

import pytest

from db.inbox.heard import Heard, Word
from db.refunds.hearing import hear
from domain.checkout_answers import ProviderRefund, RefundStatus
from tests.booking import PRICE
from tests.builders import assert_sound, rows
from tests.fakes.payments import FakePayments
from tests.kit.world import Scene
from tests.refunding import Paid, give_back, paid, refunds
from workers.sandbox.faults import Fault

SUBMIT, RECOVER = "refunds.submit", "refunds.recover"
GIVEN, FAILED, PENDING = RefundStatus.SUCCEEDED, RefundStatus.FAILED, RefundStatus.PENDING
RAW = {GIVEN: "processed", FAILED: "failed", PENDING: "pending"}


def told(world: Scene, *words: ProviderRefund, provider: str = "razorpay") -> list[Heard | None]:
    """The gateway says these, in one set; what came of each, None where it is to come again."""
    made = [Word(event=uuid4(), provider=provider, is_fresh=False, told=word) for word in words]
    heard = world.database.transact(lambda tx: hear(tx, made, run=7))
    return [heard.get(word.event) for word in made]


def applied(outcome: str) -> Heard:
    """What came of a word that fits."""
    return Heard(applied=True, outcome=outcome)


def is_refused(heard: Heard | None) -> bool:
    """Whether a word moved nothing, and is never to come again."""
    return heard is not None and not heard.applied


def asked(world: Scene, amount: int | None = None) -> tuple[Paid, UUID]:
    """A refund that the gateway has, and is pending there."""
    made = paid(world.operator, world.database, world.fakes.payments)
    receipt = give_back(world.database, made.payment, amount)
    world.run(SUBMIT)
    return made, receipt.refund


def theirs(world: Scene, status: RefundStatus = GIVEN) -> ProviderRefund:
    """The gateway's refund, with another status."""
    return replace(world.fakes.payments.refunds[0], status=status, raw_status=RAW[status])


def unasked(made: Paid, amount: int, name: str = "rfnd_dashboard") -> ProviderRefund:
    """One that somebody made at the gateway itself."""
    assert made.capture is not None
    return ProviderRefund(
        provider_id=name,
        reference=None,
        payment_id=made.capture,
        status=GIVEN,
        raw_status="processed",
        amount_minor=amount,
        currency="INR",
        created_at=datetime(2031, 1, 1, tzinfo=UTC),
    )


def kinds(world: Scene) -> list[str]:
    return [row.kind for row in rows(world.owner, "SELECT kind FROM findings ORDER BY kind")]


def test_a_success_is_taken_at_its_word_however_often_it_comes(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    _, refund = asked(world)
    assert told(world, theirs(world)) == [applied("PROCESSING -> SUCCEEDED")]
    run_to_quiet()
    assert (
        told(world, theirs(world), theirs(world)) == [applied("nothing to do: it is CASCADED")] * 2
    )
    assert refunds(world.owner) == {refund: "CASCADED"}
    assert_sound(world.owner)


def test_a_success_fences_whoever_is_sending(world: Scene) -> None:
    """TRAP, phase 3: the webhook is here before we wrote what we heard; our row is adopted by its reference."""
    made = paid(world.operator, world.database, world.fakes.payments)
    receipt = give_back(world.database, made.payment)
    with world.fakes.payments.held() as hold:
        running = world.in_background(SUBMIT)
        hold.wait_for(1)
        early = replace(unasked(made, PRICE, "rfnd_00000000000001"), reference=str(receipt.refund))
        assert told(world, early) == [applied("PROCESSING -> SUCCEEDED")]
        hold.release()
        assert running.end().tally["fenced"] == 1
    [row] = rows(world.owner, "SELECT state, given_as FROM refunds")
    assert (row.state, row.given_as) == ("SUCCEEDED", "rfnd_00000000000001")
    assert_sound(world.owner)


def test_a_failure_is_asked_about_before_it_frees_the_money(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    _, refund = asked(world)
    assert told(world, theirs(world, FAILED)) == [applied("the gateway is asked")]
    assert refunds(world.owner) == {refund: "PROCESSING"}
    [waits] = rows(
        world.owner,
        "SELECT job, due_at <= clock_timestamp() AS is_due FROM work WHERE subject = :id",
        id=refund,
    )
    assert (waits.job, waits.is_due) == (RECOVER, True)
    # The gateway itself says something else.
    run_to_quiet()
    assert refunds(world.owner) == {refund: "CASCADED"}


@pytest.mark.parametrize("words", list(permutations([PENDING, GIVEN, GIVEN])))
def test_whatever_the_order_it_ends_the_same(
    world: Scene, run_to_quiet: Callable[[], int], words: tuple[RefundStatus, ...]
) -> None:
    _, refund = asked(world)
    for word in words:
        assert told(world, theirs(world, word))[0] is not None
    run_to_quiet()
    assert refunds(world.owner) == {refund: "CASCADED"}
    assert len(rows(world.owner, "SELECT FROM entries WHERE type = 'refund.given'")) == 1
    assert kinds(world) == []


def test_what_was_given_and_failed_since_is_a_finding(world: Scene) -> None:
    asked(world)
    told(world, theirs(world))
    [heard] = told(world, theirs(world, FAILED))
    assert is_refused(heard)
    assert kinds(world) == ["refund-contradicted"]


def test_what_was_given_and_failed_in_one_set_is_given_and_the_failure_comes_again(
    world: Scene,
) -> None:
    """A failure beside a success is no less of a contradiction: its customer may not have the money."""
    _, refund = asked(world)
    failure = theirs(world, FAILED)
    assert told(world, failure, theirs(world)) == [None, applied("PROCESSING -> SUCCEEDED")]
    assert refunds(world.owner) == {refund: "SUCCEEDED"}
    [heard] = told(world, failure)
    assert is_refused(heard)
    assert kinds(world) == ["refund-contradicted"]


def test_what_failed_and_was_given_after_all_is_given_and_a_finding(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    _, refund = asked(world)
    world.fakes.payments._failing.add(world.fakes.payments.refunds[0].provider_id)
    run_to_quiet()
    assert refunds(world.owner) == {refund: "FAILED"}
    assert told(world, theirs(world)) == [applied("FAILED -> SUCCEEDED")]
    assert "refund-contradicted" in kinds(world)
    run_to_quiet()
    assert refunds(world.owner) == {refund: "CASCADED"}
    assert_sound(world.owner)


def test_what_failed_and_was_given_after_all_where_nothing_is_left_moves_nothing(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    made, refund = asked(world)
    world.fakes.payments._failing.add(world.fakes.payments.refunds[0].provider_id)
    run_to_quiet()
    second = give_back(world.database, made.payment, key="instead")
    [heard] = told(world, theirs(world))
    assert is_refused(heard)
    assert refunds(world.owner) == {refund: "FAILED", second.refund: "RESERVED"}
    assert_sound(world.owner)


def test_a_refund_made_at_the_gateway_is_taken_over_once_of_its_leg_alone(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    made = paid(world.operator, world.database, world.fakes.payments, wallet=4_000)
    word = unasked(made, 6_000)
    assert told(world, word, word) == [applied("taken over: made at the gateway")] * 2
    told(world, word)
    [row] = rows(world.owner, "SELECT origin, state, gateway, wallet FROM refunds")
    assert tuple(row) == ("gateway", "SUCCEEDED", 6_000, 0)
    run_to_quiet()
    assert list(refunds(world.owner).values()) == ["CASCADED"]
    assert_sound(world.owner)


def test_two_gateways_may_use_one_name(world: Scene, run_to_quiet: Callable[[], int]) -> None:
    gateways = {"razorpay": world.fakes.payments, "stripe": FakePayments("stripe")}
    for provider, gateway in gateways.items():
        made = paid(world.operator, world.database, gateway)
        word = unasked(made, 5_000, "re_1")
        assert (
            told(world, word, word, provider=provider)
            == [applied("taken over: made at the gateway")] * 2
        )
    run_to_quiet()
    named = rows(world.owner, "SELECT given_by, given_as, state FROM refunds ORDER BY given_by")
    assert [tuple(row) for row in named] == [
        ("razorpay", "re_1", "CASCADED"),
        ("stripe", "re_1", "CASCADED"),
    ]
    assert_sound(world.owner)


def test_more_than_was_left_at_the_gateway_is_a_finding(world: Scene) -> None:
    """Invariant 52 holds whoever gives it."""
    made = paid(world.operator, world.database, world.fakes.payments, wallet=4_000)
    [heard] = told(world, unasked(made, 6_001))
    assert is_refused(heard)
    assert (kinds(world), refunds(world.owner)) == (["refund-unasked"], {})
    assert_sound(world.owner)


def test_a_word_without_our_reference_waits_while_one_of_ours_has_no_name(world: Scene) -> None:
    """It may be ours: which one is known when the gateway has answered."""
    made = paid(world.operator, world.database, world.fakes.payments)
    give_back(world.database, made.payment, 5_000)
    world.fakes.payments.script(Fault.DROP)
    world.run(SUBMIT)
    assert told(world, unasked(made, 5_000)) == [None]


def test_a_refund_of_a_capture_nobody_knows_is_a_finding(world: Scene) -> None:
    made = paid(world.operator, world.database, world.fakes.payments)
    told(world, replace(unasked(made, 5_000), payment_id="pay_of_nobody"))
    assert (kinds(world), refunds(world.owner)) == (["refund-unasked"], {})


@pytest.mark.parametrize(
    "change", [{"amount_minor": 1}, {"currency": "USD"}, {"payment_id": "pay_other"}]
)
def test_a_word_that_contradicts_ours_moves_nothing(
    world: Scene, change: dict[str, object]
) -> None:
    _, refund = asked(world)
    [heard] = told(world, replace(theirs(world), **change))  # type: ignore[arg-type]  # by name
    assert is_refused(heard)
    assert kinds(world) == ["refund-answer-mismatch"]
    assert refunds(world.owner) == {refund: "PROCESSING"}
    [waits] = rows(world.owner, "SELECT parked_reason FROM work WHERE subject = :id", id=refund)
    assert waits.parked_reason is not None


def test_a_word_about_what_was_never_sent_moves_nothing(world: Scene) -> None:
    made = paid(world.operator, world.database, world.fakes.payments)
    receipt = give_back(world.database, made.payment)
    word = replace(unasked(made, PRICE), reference=str(receipt.refund))
    [heard] = told(world, word)
    assert is_refused(heard)
    assert refunds(world.owner) == {receipt.refund: "RESERVED"}
