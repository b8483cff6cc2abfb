"""payouts.check_stuck: it reports what is under way too long, has it asked about now, and moves nothing."""

from datetime import timedelta
from uuid import UUID

import pytest

from db.payouts import overdue as rows_module
from domain.payout_ids import reference
from domain.payouts import FOLLOW, PROCESS, RECOVER
from jobs.payouts import overdue
from tests.builders import assert_sound, change, hurry, payout, rows, seed, states
from tests.kit.clock import FrozenClock
from tests.kit.world import Scene
from workers.sandbox.faults import Fault

JOB = "payouts.check_stuck"
DAY = timedelta(hours=24)


def sent(world: Scene, count: int = 1) -> list[UUID]:
    """Payouts their provider has accepted."""
    ids = seed(world.url, count)
    world.run(PROCESS)
    return ids


def told(world: Scene) -> dict[str, str]:
    found = rows(world.owner, "SELECT key, detail FROM findings WHERE resolved_at IS NULL")
    return {row.key: row.detail for row in found}


def later(world: Scene, id_: UUID) -> None:
    """Let its next question wait for an hour."""
    change(
        world.owner,
        "UPDATE work SET due_at = clock_timestamp() + interval '1 h' WHERE subject = :id",
        id=id_,
    )


def test_a_day_under_way_is_a_finding_that_ends_with_it(world: Scene, clock: FrozenClock) -> None:
    """F64, invariant 12: however old, it stays PROCESSING until its provider speaks."""
    [id_] = sent(world)
    clock.forward(DAY - timedelta(minutes=1))
    world.run(JOB)
    assert told(world) == {}
    clock.forward(timedelta(minutes=2))
    later(world, id_)
    ran = world.run(JOB)
    assert ran.tally["waiting"] == ran.tally["succeeded"] == 1
    assert "PROCESSING since" in told(world)[f"payout-stuck:payout {id_}"]
    found = payout(world.owner, id_)
    assert (found.state, found.w_job, found.w_wait <= 0) == ("PROCESSING", FOLLOW, True)
    clock.forward(timedelta(days=400))
    world.run(JOB)
    assert payout(world.owner, id_).state == "PROCESSING"

    world.bank.settle(reference(id_, 1), "processed")
    world.run(FOLLOW)
    assert payout(world.owner, id_).state == "COMPLETED"
    world.run(JOB)
    assert told(world) == {}
    assert_sound(world.owner)


def test_what_is_in_doubt_for_a_day_is_looked_up_now(world: Scene, clock: FrozenClock) -> None:
    """F56."""
    [id_] = seed(world.url, 1)
    world.bank.script(Fault.DROP)
    world.run(PROCESS)
    clock.forward(DAY + timedelta(minutes=1))
    later(world, id_)
    world.run(JOB)
    assert "has not named it" in told(world)[f"payout-stuck:payout {id_}"]
    found = payout(world.owner, id_)
    assert (found.w_job, found.w_wait <= 0) == (RECOVER, True)


def test_what_somebody_holds_or_a_person_must_see_is_told_and_left_as_it_is(
    world: Scene, clock: FrozenClock
) -> None:
    held, parked = sent(world, 2)
    clock.forward(DAY + timedelta(minutes=1))
    change(
        world.owner,
        """UPDATE work SET token = 1, holder = 1, leased_until = clock_timestamp() + interval '1 h'
           WHERE subject = :id""",
        id=held,
    )
    change(
        world.owner,
        "UPDATE work SET due_at = 'infinity', parked_reason = 'look' WHERE subject = :id",
        id=parked,
    )
    whole = "SELECT CAST(w AS text) AS whole FROM work w ORDER BY subject"
    before = rows(world.owner, whole)
    ran = world.run(JOB)
    assert (ran.tally["waiting"], ran.tally["succeeded"]) == (2, 0)
    assert rows(world.owner, whole) == before
    assert "parked: look" in told(world)[f"payout-stuck:payout {parked}"]


def test_a_payout_its_provider_denies_is_a_finding_at_once_and_no_failure(world: Scene) -> None:
    """Wrong keys look the same: nothing moves, nothing is released (domain: an unknown id is dangerous)."""
    [id_] = sent(world)
    kept, world.bank.transfers = world.bank.transfers, []
    hurry(world.owner)
    world.run(FOLLOW)
    key = f"payout-not-at-provider:payout {id_}"
    assert set(told(world)) == {key}
    world.run(JOB)
    assert set(told(world)) == {key}
    assert states(world.owner) == {"PROCESSING": 1}

    world.bank.transfers = kept
    world.run(FOLLOW)
    world.run(JOB)
    assert told(world) == {}
    assert_sound(world.owner)


def test_pages_make_the_whole_and_findings_have_a_bound(
    world: Scene, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue, "PAGE", 2)
    monkeypatch.setattr(overdue, "NAMED_MAX", 3)
    sent(world, 7)
    clock.forward(DAY + timedelta(minutes=1))
    ran = world.run(JOB)
    assert (ran.tally["processed"], ran.tally["waiting"]) == (7, 7)
    found = told(world)
    assert len(found) == 4
    assert found["payout-stuck:payouts"].startswith("7 so far")


def test_history_is_not_gone_through(world: Scene, clock: FrozenClock) -> None:
    """Only what waits in `work` is read: an ended payout has no row there."""
    ids = sent(world, 3)
    for id_ in ids[:2]:
        world.bank.settle(reference(id_, 1), "failed")
    hurry(world.owner)
    world.run(FOLLOW)
    clock.forward(DAY + timedelta(minutes=1))
    with world.database.begin() as tx:
        seen = rows_module.stuck(tx, None, 10, older=DAY, unknown="")
    assert (seen.looked_at, [row.subject for row in seen.rows]) == (1, ids[2:])
