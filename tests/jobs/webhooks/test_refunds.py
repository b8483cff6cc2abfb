"""What payment gateways tell of refunds, and of disputes that were lost: settled once, in the books once."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from domain.checkout_answers import ProviderOrder
from domain.checkouts import Receipt
from domain.payments import payee_share
from tests.booking import PRICE, everything
from tests.builders import assert_sound, rows
from tests.fakes.payments import FakePayments
from tests.kit.world import Fakes, Scene
from tests.paying import captured, disputed, findings, heard, opened, refunded
from tests.refunding import give_back, refunds

Quiet = Callable[[], int]


@pytest.fixture(params=["razorpay", "stripe"])
def fakes(request: pytest.FixtureRequest) -> Fakes:
    return Fakes(payments=FakePayments(request.param))


def paid(world: Scene) -> tuple[Receipt, ProviderOrder]:
    """A checkout that was paid, with its order."""
    made, theirs = opened(world)
    world.fakes.payments.capture(theirs.provider_id)
    heard(world, captured(theirs))
    return made, theirs


def test_a_refund_is_settled_by_its_event_and_by_a_second_one_not_again(
    world: Scene, run_to_quiet: Quiet
) -> None:
    """Invariant 55."""
    made, _ = paid(world)
    give_back(world.database, made.payment)
    world.run("refunds.submit")
    [theirs] = world.fakes.payments.refunds
    assert heard(world, refunded(theirs)) == [("APPLIED", "PROCESSING -> SUCCEEDED")]
    run_to_quiet()
    assert heard(world, refunded(theirs)) == [("APPLIED", "nothing to do: it is CASCADED")]
    assert len(rows(world.owner, "SELECT FROM entries WHERE type = 'refund.given'")) == 1
    assert everything(world.owner, made)["booking"] == "CANCELLED"
    assert_sound(world.owner)


def test_a_failure_is_asked_about(world: Scene) -> None:
    made, _ = paid(world)
    give_back(world.database, made.payment)
    world.run("refunds.submit")
    [theirs] = world.fakes.payments.refunds
    assert heard(world, refunded(theirs, "failed")) == [("APPLIED", "the gateway is asked")]
    assert list(refunds(world.owner).values()) == ["PROCESSING"]
    assert_sound(world.owner)


def test_a_refund_made_at_the_gateway_is_taken_over(world: Scene, run_to_quiet: Quiet) -> None:
    """TRAP, phase 3: whoever made it, one refund of the gateway is one of ours."""
    made, order = paid(world)
    give_back(world.database, made.payment, 1_000)
    world.run("refunds.submit")
    theirs = replace(
        world.fakes.payments.refunds[0], provider_id="re_other", reference=None, amount_minor=2_000
    )
    assert heard(world, refunded(theirs)) == [("APPLIED", "taken over: made at the gateway")]
    run_to_quiet()
    assert sorted(refunds(world.owner).values()) == ["CASCADED", "CASCADED"]
    assert order.amount_minor == PRICE
    assert_sound(world.owner)


@pytest.mark.parametrize("amount", [PRICE, 2_500])
def test_a_lost_dispute_takes_the_payment_back_as_a_refund_does(
    world: Scene, run_to_quiet: Quiet, amount: int
) -> None:
    """Invariant 52: lost disputes count with refunds; the payee loses their share of what is gone."""
    made, theirs = paid(world)
    heard(world, disputed(theirs, "created", amount))
    assert heard(world, disputed(theirs, "lost", amount)) == [("APPLIED", "it is LOST")]
    heard(world, disputed(theirs, "lost", amount))
    run_to_quiet()
    [row] = rows(world.owner, "SELECT origin, state, amount FROM refunds")
    assert tuple(row) == ("dispute", "CASCADED", amount)
    [earning] = rows(world.owner, "SELECT state, refunded, disputed FROM earnings")
    assert earning.refunded == payee_share(PRICE) * amount // PRICE
    assert (earning.state, earning.disputed) == ("REFUNDED" if amount == PRICE else "READY", False)
    assert rows(world.owner, "SELECT FROM mails") == []
    assert everything(world.owner, made)["booking"] == (
        "CANCELLED" if amount == PRICE else "SCHEDULED"
    )
    assert_sound(world.owner)


def test_what_is_lost_of_a_payment_that_was_given_back_is_a_finding(
    world: Scene, run_to_quiet: Quiet
) -> None:
    made, theirs = paid(world)
    give_back(world.database, made.payment)
    run_to_quiet()
    heard(world, disputed(theirs, "created"))
    heard(world, disputed(theirs, "lost"))
    assert "refund-unasked" in findings(world.owner)
    assert list(refunds(world.owner).values()) == ["CASCADED"]
    assert_sound(world.owner)
