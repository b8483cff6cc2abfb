"""What payment gateways tell of disputes: what was earned is held while one is open, and taken back when it is lost."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import permutations

import pytest

from db import switches
from db.earnings import deciding
from db.earnings.deciding import Decided
from db.inbox.replay import replay
from db.refunds.decide import Decision, decide
from db.refunds.facts import refundable
from domain.checkout_answers import ProviderOrder
from domain.checkouts import Receipt
from domain.inbox import APPLY
from domain.payments import OPEN_ORDERS
from domain.switches import MAKER_CHECKER
from tests.booking import cancel
from tests.builders import assert_sound, rows
from tests.fakes.payments import FakePayments
from tests.hearing import receive
from tests.kit.clock import FrozenClock
from tests.kit.world import Fakes, Scene
from tests.paying import begun, captured, disputed, findings, heard, opened
from tests.refunding import give_back, refunds


@pytest.fixture(params=["razorpay", "stripe"])
def fakes(request: pytest.FixtureRequest) -> Fakes:
    return Fakes(payments=FakePayments(request.param))


def paid(world: Scene) -> tuple[Receipt, ProviderOrder]:
    """A checkout that was paid, with its order."""
    made, theirs = opened(world)
    heard(world, captured(theirs))
    return made, theirs


def earned(world: Scene) -> tuple[str, bool]:
    """Where the only earning is, and whether it is in dispute."""
    [row] = rows(world.owner, "SELECT state, disputed FROM earnings")
    return row.state, row.disputed


def say(world: Scene, what: Callable[..., list[Decided]], made: Receipt) -> list[str]:
    """What an operator says of what was earned, and what came of it."""
    with world.operator.begin() as tx:
        return [one.outcome for one in what(tx, [made.payment], actor="asha", why="a complaint")]


def disputes(world: Scene) -> list[str]:
    """Where disputes are."""
    return [row.state for row in rows(world.owner, "SELECT state FROM disputes ORDER BY id")]


def test_a_dispute_holds_what_was_earned_and_is_found(world: Scene) -> None:
    _, theirs = paid(world)
    assert heard(world, disputed(theirs, "created"))[0][0] == "APPLIED"
    assert disputes(world) == ["OPEN"]
    assert earned(world) == ("HELD", True)
    assert findings(world.owner) == ["payment-disputed"]
    assert_sound(world.owner)


@pytest.mark.parametrize("end", ["won", "closed"])
def test_one_that_is_won_frees_it(world: Scene, end: str) -> None:
    _, theirs = paid(world)
    heard(world, disputed(theirs, "created"))
    assert heard(world, disputed(theirs, end)) == [("APPLIED", "it is WON")]
    assert (disputes(world), earned(world)) == (["WON"], ("READY", False))
    assert findings(world.owner) == []
    assert_sound(world.owner)


def test_one_that_is_won_frees_nothing_that_people_hold(world: Scene) -> None:
    """Two causes: the end of one is not the end of the other, in either order."""
    made, theirs = paid(world)
    heard(world, disputed(theirs, "created"))
    assert say(world, deciding.hold, made) == ["moved"]
    heard(world, disputed(theirs, "won"))
    assert (disputes(world), earned(world)) == (["WON"], ("HELD", True))
    assert_sound(world.owner)
    assert say(world, deciding.release, made) == ["moved"]
    assert earned(world) == ("READY", False)


def test_what_an_open_dispute_holds_people_do_not_release(world: Scene) -> None:
    made, theirs = paid(world)
    say(world, deciding.hold, made)
    heard(world, disputed(theirs, "created"))
    assert say(world, deciding.release, made) == ["moved"]
    assert earned(world) == ("HELD", True)
    assert say(world, deciding.release, made) == ["disputed"]
    assert_sound(world.owner)
    heard(world, disputed(theirs, "won"))
    assert earned(world) == ("READY", False)


@pytest.mark.parametrize(
    "words", list(permutations(["created", "under_review", "won"])), ids="-".join
)
def test_any_order_of_events_ends_alike(world: Scene, words: Sequence[str]) -> None:
    """F71, invariants 23 to 25: one by one, each twice."""
    _, theirs = paid(world)
    for word in [*words, *reversed(words)]:
        assert heard(world, disputed(theirs, word))[0][0] == "APPLIED"
    assert (disputes(world), earned(world)) == (["WON"], ("READY", False))
    assert_sound(world.owner)


def test_all_of_them_in_one_set_end_alike(world: Scene) -> None:
    _, theirs = paid(world)
    receive(world.owner, [disputed(theirs, word) for word in ("won", "created", "won", "created")])
    world.run(APPLY)
    assert (disputes(world), earned(world)) == (["WON"], ("READY", False))
    assert_sound(world.owner)


def test_a_dispute_that_comes_before_its_capture_waits_for_it(
    world: Scene, clock: FrozenClock
) -> None:
    _, theirs = opened(world)
    receive(world.owner, [disputed(theirs, "created"), captured(theirs)])
    world.run(APPLY)
    clock.forward(timedelta(seconds=2))
    world.run(APPLY)
    assert (disputes(world), earned(world)) == (["OPEN"], ("HELD", True))
    assert_sound(world.owner)


def test_a_dispute_of_no_capture_of_ours_is_found_after_a_while_and_replayed_once_it_is_known(
    world: Scene, clock: FrozenClock
) -> None:
    """A gateway tries for a day to tell of a capture: its dispute may not be lost by coming first."""
    _, theirs = opened(world)
    receive(world.owner, [disputed(theirs, "created")])
    world.run(APPLY)
    clock.forward(timedelta(minutes=3))
    world.run(APPLY)
    assert findings(world.owner) == ["event-failed", "payment-without-order"]
    assert disputes(world) == []
    [failed] = rows(world.owner, "SELECT id FROM inbox WHERE state = 'FAILED'")
    assert heard(world, captured(theirs))[0][0] == "APPLIED"
    with world.owner.begin() as tx:
        replay(tx, [failed.id], actor="asha", why="its capture is known")
    world.run(APPLY)
    assert (disputes(world), earned(world)) == (["OPEN"], ("HELD", True))
    assert_sound(world.owner)


def test_a_dispute_of_more_than_was_captured_moves_nothing(world: Scene) -> None:
    _, theirs = paid(world)
    [(said, _)] = heard(world, disputed(theirs, "created", theirs.amount_minor + 1))
    assert (said, disputes(world), earned(world)) == ("FAILED", [], ("READY", False))
    assert findings(world.owner) == ["event-failed", "order-mismatch"]


def test_a_dispute_that_changes_its_amount_moves_nothing(world: Scene) -> None:
    _, theirs = paid(world)
    heard(world, disputed(theirs, "created", 5_000))
    [(said, _)] = heard(world, disputed(theirs, "won", 4_000))
    assert (said, disputes(world)) == ("FAILED", ["OPEN"])


def test_one_that_was_won_and_is_lost_after_that_waits_for_a_person(world: Scene) -> None:
    _, theirs = paid(world)
    heard(world, disputed(theirs, "created"))
    heard(world, disputed(theirs, "won"))
    [(said, _)] = heard(world, disputed(theirs, "lost"))
    assert (said, disputes(world)) == ("FAILED", ["WON"])
    assert findings(world.owner) == ["event-failed", "payment-disputed"]


def test_one_that_is_lost_of_what_a_proposal_has_reserved_is_taken_back_once_that_is_rejected(
    world: Scene,
) -> None:
    """Until then what was earned of it stays held, and its event waits for a replay: the bank has the money."""
    made, theirs = paid(world)
    with world.operator.begin() as tx:
        switches.turn(tx, MAKER_CHECKER, on=True, who="asha", why="policy")
    refund = give_back(world.database, made.payment).refund
    heard(world, disputed(theirs, "created"))
    assert heard(world, disputed(theirs, "lost"))[0][0] == "FAILED"
    assert (disputes(world), earned(world)) == (["LOST"], ("HELD", True))
    assert findings(world.owner) == ["event-failed", "refund-unasked"]
    with world.operator.begin() as tx:
        decide(tx, Decision.REJECT, [refund], actor="ravi", why="its bank took it")
        events = [
            row.id for row in rows(world.owner, "SELECT id FROM inbox WHERE state = 'FAILED'")
        ]
        replay(tx, events, actor="ravi", why="it fits now")
    world.run(APPLY)
    assert sorted(refunds(world.owner).values()) == ["REJECTED", "SUCCEEDED"]
    world.run("refunds.cascade")
    assert sorted(refunds(world.owner).values()) == ["CASCADED", "REJECTED"]
    assert earned(world) == ("REFUNDED", False)
    assert_sound(world.owner)


def test_one_that_is_lost_of_what_a_refund_has_reserved_comes_before_it(world: Scene) -> None:
    """Nothing is sent beside it: the refund fails unsent, and once its event is replayed the loss is in the books."""
    made, theirs = paid(world)
    give_back(world.database, made.payment)
    assert heard(world, disputed(theirs, "lost"))[0][0] == "FAILED"
    assert earned(world) == ("HELD", True)
    world.run("refunds.submit")
    assert (list(refunds(world.owner).values()), world.fakes.payments.refunds) == (["FAILED"], [])
    assert_sound(world.owner)
    with world.operator.begin() as tx:
        events = [
            row.id for row in rows(world.owner, "SELECT id FROM inbox WHERE state = 'FAILED'")
        ]
        replay(tx, events, actor="ravi", why="it fits now")
    world.run(APPLY)
    world.run("refunds.cascade")
    assert sorted(refunds(world.owner).values()) == ["CASCADED", "FAILED"]
    assert_sound(world.owner)


def test_a_dispute_that_an_operator_does_not_know_of_is_listed(world: Scene) -> None:
    made, theirs = paid(world)
    heard(world, disputed(theirs, "created", 5_000))
    [row] = rows(world.owner, "SELECT payment, amount, currency, provider FROM disputes")
    assert tuple(row) == (made.payment, 5_000, "INR", world.fakes.payments.provider)


def test_no_refund_of_an_orphan_is_begun_while_a_dispute_about_it_is_open(world: Scene) -> None:
    """Nothing was earned of it that could be held, so the dispute itself blocks: its bank decides."""
    who, made = begun(world)
    world.run(OPEN_ORDERS)
    [theirs] = world.fakes.payments.of(made.order)
    cancel(world.database, who, made.payment)
    heard(world, captured(theirs), disputed(theirs, "created"))
    heard(world, disputed(theirs, "created"))
    with world.database.begin() as tx:
        [found] = refundable(tx, [made.payment])
    assert found.is_disputed
    heard(world, disputed(theirs, "won"))
    with world.database.begin() as tx:
        [found] = refundable(tx, [made.payment])
    assert not found.is_disputed
