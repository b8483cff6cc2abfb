"""What people decide about refunds: approve, reject, retry, and what two of them say of one in doubt."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from db import switches
from db.clock import now
from db.payouts.resolve import Word
from db.refunds.decide import Decision, decide
from db.refunds.resolve import declare
from domain.errors import NotFoundError, RefusedError
from domain.switches import MAKER_CHECKER
from domain.telling import DisputeStatus
from tests.booking import PRICE
from tests.builders import assert_sound, hurry, rows
from tests.kit.clock import FrozenClock
from tests.kit.world import Scene
from tests.refunding import dispute, give_back, orphan, paid, refunds
from workers.sandbox.faults import Fault

SUBMIT, RECOVER, FLAG = "refunds.submit", "refunds.recover", "bookings.flag_orphans"


def decided(world: Scene, decision: Decision, *ids: UUID, by: str = "ravi") -> list[str]:
    with world.operator.begin() as tx:
        return [one.outcome for one in decide(tx, decision, list(ids), actor=by, why="because")]


def proposed(world: Scene, wallet: int = 0) -> UUID:
    """A refund that an operator asked for while four eyes are needed."""
    with world.operator.begin() as tx:
        switches.turn(tx, MAKER_CHECKER, on=True, who="asha", why="policy")
    made = paid(world.operator, world.database, world.fakes.payments, wallet=wallet)
    return give_back(world.database, made.payment).refund


def test_who_asked_for_it_does_not_approve_it(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    refund = proposed(world)
    assert decided(world, Decision.APPROVE, refund, by="asha") == ["own"]
    assert refunds(world.owner) == {refund: "PROPOSED"}
    assert decided(world, Decision.APPROVE, refund) == ["moved"]
    assert decided(world, Decision.APPROVE, refund) == ["illegal"]
    run_to_quiet()
    assert refunds(world.owner) == {refund: "CASCADED"}
    assert_sound(world.owner)


def test_approved_where_no_gateway_is_asked_it_is_given_at_once(world: Scene) -> None:
    refund = proposed(world, wallet=PRICE)
    assert decided(world, Decision.APPROVE, refund) == ["moved"]
    assert refunds(world.owner) == {refund: "SUCCEEDED"}
    assert_sound(world.owner)


def test_what_is_disputed_since_it_was_proposed_is_not_approved(world: Scene) -> None:
    """REFUND_BLOCKED_BY_DISPUTE: its bank may give the same money back; once that ended, it may be approved."""
    for made in (
        paid(world.operator, world.database, world.fakes.payments),
        orphan(world.operator, world.database, world.fakes.payments),
    ):
        with world.operator.begin() as tx:
            switches.turn(tx, MAKER_CHECKER, on=True, who="asha", why="policy")
        refund = give_back(world.database, made.payment).refund
        dispute(world.operator, made)
        assert decided(world, Decision.APPROVE, refund) == ["disputed"]
        dispute(world.operator, made, DisputeStatus.WON)
        assert decided(world, Decision.APPROVE, refund) == ["moved"]
    assert_sound(world.owner)


def test_what_is_rejected_frees_what_it_had_reserved(world: Scene) -> None:
    refund = proposed(world)
    assert decided(world, Decision.REJECT, refund) == ["moved"]
    assert refunds(world.owner) == {refund: "REJECTED"}
    assert [row.given_back for row in rows(world.owner, "SELECT given_back FROM payment_legs")] == [
        0
    ]
    assert_sound(world.owner)


def test_an_orphan_is_proposed_once_and_what_was_rejected_not_again(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    """Late capture can turn EXPIRED to SUCCEEDED: orphan flagged, its refund proposed, and given once approved."""
    orphan(world.operator, world.database, world.fakes.payments, wallet=4_000)
    orphan(world.operator, world.database, world.fakes.payments)
    world.run(FLAG)
    world.run(FLAG)
    found = rows(world.owner, "SELECT id, state, amount, gateway FROM refunds ORDER BY amount")
    assert [tuple(row)[1:] for row in found] == [
        ("PROPOSED", 6_000, 6_000),
        ("PROPOSED", PRICE, PRICE),
    ]
    assert_sound(world.owner)
    assert decided(world, Decision.REJECT, found[0].id) == ["moved"]
    assert decided(world, Decision.APPROVE, found[1].id) == ["moved"]
    run_to_quiet()
    world.run(FLAG)
    assert refunds(world.owner) == {found[0].id: "REJECTED", found[1].id: "CASCADED"}
    told = rows(
        world.owner,
        "SELECT subject FROM findings WHERE kind = 'payment-orphaned' AND resolved_at IS NULL",
    )
    assert len(told) == 1
    assert_sound(world.owner)


def failed(world: Scene, amount: int | None = None) -> UUID:
    """A refund that the gateway refused."""
    made = paid(world.operator, world.database, world.fakes.payments)
    refund = give_back(world.database, made.payment, amount).refund
    world.fakes.payments.script(Fault.REFUSE)
    world.run(SUBMIT)
    return refund


def test_three_refusals_are_enough(world: Scene) -> None:
    refund = failed(world)
    for _ in range(2):
        world.fakes.payments.script(Fault.REFUSE)
        assert decided(world, Decision.RETRY, refund) == ["moved"]
        world.run(SUBMIT)
    assert decided(world, Decision.RETRY, refund) == ["exhausted"]
    assert refunds(world.owner) == {refund: "FAILED"}
    assert_sound(world.owner)


def test_what_failed_is_not_tried_again_where_less_is_left(world: Scene) -> None:
    refund = failed(world, 6_000)
    [row] = rows(world.owner, "SELECT payment FROM refunds")
    give_back(world.database, row.payment, 5_000, "instead")
    assert decided(world, Decision.RETRY, refund) == ["short"]
    assert refunds(world.owner)[refund] == "FAILED"
    assert_sound(world.owner)


def in_doubt(world: Scene, clock: FrozenClock) -> UUID:
    """A refund nobody can ask about any more."""
    made = paid(world.operator, world.database, world.fakes.payments)
    refund = give_back(world.database, made.payment).refund
    world.fakes.payments.script(Fault.ERROR_BEFORE)
    world.run(SUBMIT)
    clock.forward(timedelta(hours=30))
    hurry(world.owner)
    world.run(RECOVER)
    return refund


@pytest.mark.parametrize(("name", "state"), [("rfnd_9", "SUCCEEDED"), (None, "FAILED")])
def test_two_people_say_what_became_of_it(
    world: Scene, clock: FrozenClock, name: str | None, state: str
) -> None:
    refund = in_doubt(world, clock)
    with world.operator.begin() as tx:
        word = Word(by="asha, ravi", why="seen on the dashboard", known_at=now(tx))
        assert declare(tx, refund, word, given_as=name) == state
    [row] = rows(world.owner, "SELECT state, given_as FROM refunds")
    assert tuple(row) == (state, name)
    assert_sound(world.owner)
    with world.operator.begin() as tx, pytest.raises(RefusedError):
        declare(tx, refund, word, given_as=name)


def test_what_may_have_been_sent_since_they_knew_is_not_declared_unsent(
    world: Scene, clock: FrozenClock
) -> None:
    refund = in_doubt(world, clock)
    with world.operator.begin() as tx:
        known_at = now(tx) - timedelta(days=3)
        word = Word(by="asha, ravi", why="their support says so", known_at=known_at)
        with pytest.raises(RefusedError, match="may have been sent again"):
            declare(tx, refund, word, given_as=None)
    assert refunds(world.owner) == {refund: "PROCESSING"}


def test_what_there_is_not_cannot_be_declared(world: Scene) -> None:
    with world.operator.begin() as tx:
        word = Word(by="asha, ravi", why="because", known_at=now(tx))
        with pytest.raises(NotFoundError):
            declare(tx, UUID(int=1), word, given_as=None)
