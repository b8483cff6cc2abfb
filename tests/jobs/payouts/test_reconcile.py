"""payouts.reconcile: what is named and under way for days is asked about; what is no longer called paid is told."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.payout_ids import reference
from domain.payouts import FOLLOW, PROCESS
from tests.builders import assert_sound, change, hurry, payout, rows, seed
from tests.kit.clock import FrozenClock
from tests.kit.world import Scene
from workers.sandbox.faults import Fault

JOB = "payouts.reconcile"


def sent(world: Scene) -> UUID:
    """A payout its provider has accepted, to be asked about in an hour."""
    [id_] = seed(world.url, 1)
    world.run(PROCESS)
    return id_


def waits(world: Scene, id_: UUID) -> float:
    """Put its next question off for an hour, run the job, and return the seconds it waits for."""
    change(
        world.owner,
        "UPDATE work SET due_at = clock_timestamp() + interval '1 h' WHERE subject = :id",
        id=id_,
    )
    world.run(JOB)
    return float(payout(world.owner, id_).w_wait)


@pytest.mark.parametrize(
    ("age", "asked"),
    [
        (timedelta(hours=47), False),
        (timedelta(hours=49), True),
        (timedelta(days=29), True),
        (timedelta(days=31), False),
    ],
    ids=str,
)
def test_two_to_thirty_days_under_way_are_asked_about_now(
    world: Scene, clock: FrozenClock, age: timedelta, *, asked: bool
) -> None:
    """Invariant 12: asked about, and nothing else."""
    id_ = sent(world)
    clock.forward(age)
    assert (waits(world, id_) <= 0) is asked
    assert payout(world.owner, id_).state == "PROCESSING"
    assert rows(world.owner, "SELECT FROM findings") == []


def test_what_its_provider_has_not_named_is_for_others(world: Scene, clock: FrozenClock) -> None:
    [id_] = seed(world.url, 1)
    world.bank.script(Fault.DROP)
    world.run(PROCESS)
    clock.forward(timedelta(days=3))
    assert waits(world, id_) > 0


def test_paid_here_and_not_there_is_a_finding_until_its_provider_says_paid_again(
    world: Scene,
) -> None:
    """Invariant 25: a late word moved nothing; somebody must hear of it."""
    id_ = sent(world)
    for word in ("processed", "queued"):
        world.bank.settle(reference(id_, 1), word)
        hurry(world.owner)
        world.run(FOLLOW)
    assert payout(world.owner, id_).state == "COMPLETED"
    assert waits(world, id_) <= 0
    [told] = rows(world.owner, "SELECT * FROM findings WHERE resolved_at IS NULL")
    assert (told.key, "'queued'" in told.detail) == (f"payout-status-differs:payout {id_}", True)

    world.bank.settle(reference(id_, 1), "processed")
    world.run(FOLLOW)
    assert waits(world, id_) > 0
    assert rows(world.owner, "SELECT FROM findings WHERE resolved_at IS NULL") == []
    assert_sound(world.owner)
