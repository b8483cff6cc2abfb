"""A restored database that forgot refunds: what the gateway has is adopted, and given by nobody a second time (F34)."""

from dataclasses import replace
from uuid import uuid4

import pytest

from db import switches
from db.reconcile import Match, Matches
from db.refunds.reserve import Receipt
from db.refunds.restored import LEGS_UNKNOWN
from domain.checkout_answers import RefundStatus
from domain.errors import RefusedError, UnreachableError
from domain.refunds import RECOVER, SUBMIT
from jobs.refunds.reconcile_effects import reconcile_refunds
from tests.builders import assert_sound, hurry, rows
from tests.kit.world import Scene
from tests.refunding import Paid, ask_for, give_back, paid, refunds
from workers.sandbox.faults import Fault


def compared(world: Scene) -> Matches:
    return reconcile_refunds(world.operator, world.fakes.payments, actor="asha")


def sends(world: Scene) -> int:
    return sum(one.what == "refund" for one in world.fakes.payments.sends)


@pytest.fixture
def one(world: Scene) -> Paid:
    """A payment that was captured, of which something is to be given back."""
    return paid(world.operator, world.database, world.fakes.payments)


def reserved(world: Scene, one: Paid, amount: int = 4_000) -> Receipt:
    return give_back(world.database, one.payment, amount)


def test_what_was_sent_after_the_backup_is_asked_about_and_not_sent_again(
    world: Scene, one: Paid
) -> None:
    """TRAP: past the day for which its key is known, the same request again would be another refund."""
    made = reserved(world, one)
    ask_for(world.fakes.payments, one, made.refund, 4_000)
    world.fakes.payments.finish()
    assert compared(world) == {Match.ADOPTED: 1}
    assert world.run(SUBMIT).tally["processed"] == 0
    hurry(world.owner, RECOVER)
    assert world.run(RECOVER).tally["succeeded"] == 1
    assert (refunds(world.database)[made.refund], sends(world)) == ("SUCCEEDED", 1)
    assert compared(world) == {Match.KNOWN: 1}
    assert_sound(world.owner)


def test_what_was_asked_for_after_the_backup_is_taken_over_once(world: Scene, one: Paid) -> None:
    """TRAP: it is not here at all; asked for anew it would be given twice."""
    ask_for(world.fakes.payments, one, uuid4(), 4_000)
    world.fakes.payments.finish()
    assert compared(world) == {Match.ADOPTED: 1}
    assert compared(world) == {Match.KNOWN: 1}
    [row] = rows(world.owner, "SELECT origin, amount, state FROM refunds")
    assert (row.origin, row.amount, row.state) == ("gateway", 4_000, "SUCCEEDED")
    with pytest.raises(RefusedError):
        reserved(world, one, 6_001)
    assert_sound(world.owner)


def test_what_nobody_had_approved_when_the_backup_was_made_is_approved_and_asked_about(
    world: Scene, one: Paid
) -> None:
    with world.operator.begin() as tx:
        switches.turn(tx, "policy:maker-checker", on=True, who="asha", why="two people")
    made = reserved(world, one)
    assert made.state == "PROPOSED"
    ask_for(world.fakes.payments, one, made.refund, 4_000)
    world.fakes.payments.finish()
    assert reconcile_refunds(world.operator, world.fakes.payments, actor="ravi") == {
        Match.ADOPTED: 1
    }
    hurry(world.owner, RECOVER)
    world.run(RECOVER)
    assert (refunds(world.database)[made.refund], sends(world)) == ("SUCCEEDED", 1)
    assert_sound(world.owner)


def test_what_nothing_here_explains_is_a_finding(world: Scene, one: Paid) -> None:
    made = reserved(world, one)
    world.fakes.payments.script(Fault.REFUSE)
    world.run(SUBMIT)
    assert refunds(world.database) == {made.refund: "FAILED"}
    ask_for(world.fakes.payments, one, made.refund, 4_000)
    ask_for(world.fakes.payments, one, uuid4(), 1_000)  # pending
    world.fakes.payments.refunds[0:1] = [
        replace(world.fakes.payments.refunds[0], status=RefundStatus.SUCCEEDED)
    ]
    assert compared(world) == {Match.SURPLUS: 1, Match.FOREIGN: 1}
    found = rows(world.owner, "SELECT kind FROM findings WHERE kind LIKE 'refund-%' ORDER BY kind")
    assert [row.kind for row in found] == ["refund-contradicted", "refund-failed", "refund-unasked"]
    assert refunds(world.database) == {made.refund: "FAILED"}
    assert_sound(world.owner)


def test_what_its_own_proposer_compares_is_adopted_and_never_sent_again(
    world: Scene, one: Paid
) -> None:
    """TRAP: who had approved it is forgotten; left as proposed it would be approved once more, and given twice."""
    with world.operator.begin() as tx:
        switches.turn(tx, "policy:maker-checker", on=True, who="asha", why="two people")
    made = reserved(world, one)
    ask_for(world.fakes.payments, one, made.refund, 4_000)
    world.fakes.payments.finish()
    assert compared(world) == {Match.ADOPTED: 1}
    hurry(world.owner, RECOVER)
    world.run(RECOVER)
    assert (refunds(world.database)[made.refund], sends(world)) == ("SUCCEEDED", 1)
    [move] = rows(world.owner, "SELECT actor, reason FROM moves WHERE source = 'PROPOSED'")
    assert (move.actor, move.reason.endswith("compared by asha")) == ("reconcile", True)


def test_what_was_given_and_failed_in_the_time_that_was_lost_is_owed_again(
    world: Scene, one: Paid
) -> None:
    """TRAP: its event was heard, and is not sent again."""
    made = reserved(world, one)
    world.run(SUBMIT)
    world.fakes.payments.finish()
    hurry(world.owner, RECOVER)
    world.run(RECOVER)
    assert compared(world) == {Match.KNOWN: 1}
    [given] = world.fakes.payments.refunds
    world.fakes.payments.fail_refund(given.provider_id)
    assert compared(world) == {Match.SURPLUS: 1}
    assert compared(world) == {Match.KNOWN: 1}
    [row] = rows(world.owner, "SELECT id FROM refunds WHERE taken_back_at IS NOT NULL")
    assert row.id == made.refund
    [found] = rows(world.owner, "SELECT subject FROM findings WHERE kind = 'refund-contradicted'")
    assert found.subject == f"refund {made.refund}"


def test_a_lost_refund_of_what_a_wallet_paid_too_is_taken_over_and_told(world: Scene) -> None:
    """TRAP: of a refund that is not here nobody knows what the wallet got."""
    mixed = paid(world.operator, world.database, world.fakes.payments, wallet=4_000)
    ask_for(world.fakes.payments, mixed, uuid4(), 6_000)
    world.fakes.payments.finish()
    assert compared(world) == {Match.FOREIGN: 1}
    assert compared(world) == {Match.KNOWN: 1}
    [row] = rows(world.owner, "SELECT origin, gateway, wallet FROM refunds")
    assert (row.origin, row.gateway, row.wallet) == ("gateway", 6_000, 0)
    [found] = rows(world.owner, "SELECT detail FROM findings WHERE kind = 'refund-unasked'")
    assert found.detail.endswith(LEGS_UNKNOWN)


def test_of_a_retry_that_was_lost_people_are_told_to_compare_again(world: Scene, one: Paid) -> None:
    made = reserved(world, one)
    ask_for(world.fakes.payments, one, made.refund, 4_000, generation=2)
    world.fakes.payments.finish()
    assert compared(world) == {Match.SURPLUS: 1}
    [found] = rows(world.owner, "SELECT detail FROM findings WHERE kind = 'refund-contradicted'")
    assert "Compare again once generation 1 has FAILED" in found.detail


def test_a_list_that_cannot_be_read_lets_nobody_go_on(world: Scene) -> None:
    world.fakes.payments.unreachable = "away"
    with pytest.raises(UnreachableError):
        compared(world)
