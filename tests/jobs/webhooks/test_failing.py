"""An event whose application breaks: its siblings go on, it is tried a few times, and then a person sees it."""

from contextlib import suppress
from uuid import UUID

import pytest

from db import transitions
from db.inbox import events
from db.inbox.events import Concluded
from db.inbox.replay import replay
from db.work import ClaimOrder, Next
from domain.backoff import SETTLE_ERROR_SECONDS
from domain.inbox import APPLY, EventState
from tests.builders import assert_sound, change, hurry, payout, rows
from tests.hearing import about, came_of, event, receive
from tests.jobs.webhooks.conftest import Line
from tests.kit.world import Scene

ORDER = ClaimOrder(run=7, limit=10, lease_seconds=15.0)


class Killed(Exception):  # noqa: N818 - what happens to a process
    """The process is gone before its commit."""


def broken(line: Line) -> tuple[UUID, UUID]:
    """Two payouts; that the second one was paid cannot be written."""
    good, bad = line.accepted(2)
    change(
        line.world.owner,
        f"""ALTER TABLE payouts ADD CONSTRAINT of_this_test
            CHECK (id <> '{bad}' OR state <> 'COMPLETED')""",
    )
    return good, bad


def mend(world: Scene) -> None:
    change(world.owner, "ALTER TABLE payouts DROP CONSTRAINT of_this_test")


def test_it_is_put_off_again_and_again_then_fails_and_may_be_replayed(line: Line) -> None:
    """Invariant 36: bounded tries, visible, replayable; its siblings are applied at once."""
    world = line.world
    good, bad = broken(line)
    [applied, told] = [*line.says(good, "processed"), *line.says(bad, "processed")]
    world.run(APPLY)
    assert came_of(world.owner, applied).state == "APPLIED"
    for tries in range(1, len(SETTLE_ERROR_SECONDS) + 1):
        waiting = came_of(world.owner, told)
        assert (waiting.state, waiting.tries, waiting.parked_reason) == ("RECEIVED", tries, None)
        assert hurry(world.owner, APPLY) == 1
        world.run(APPLY)
    given_up = came_of(world.owner, told)
    assert (given_up.state, given_up.waits_for) == ("FAILED", None)
    assert "of_this_test" in given_up.outcome
    assert line.findings() == ["event-failed"]
    assert payout(world.owner, bad).state == "PROCESSING"

    mend(world)
    with world.operator.begin() as tx:
        [moved] = replay(tx, [told], actor="asha", why="the account is back")
    assert moved.outcome == "moved"
    assert line.findings() == []
    world.run(APPLY)
    assert came_of(world.owner, told).state == "APPLIED"
    assert payout(world.owner, bad).state == "COMPLETED"
    assert_sound(world.owner)


def test_one_that_failed_and_is_delivered_again_is_tried_again(
    line: Line,
) -> None:
    """Invariant 36: the same event, its finding healed, its tries counted anew."""
    world = line.world
    _, bad = broken(line)
    said = event(about(world.bank, bad), "processed")
    [told] = receive(world.database, [said])
    for _ in range(len(SETTLE_ERROR_SECONDS) + 1):
        world.run(APPLY)
        hurry(world.owner, APPLY)
    assert came_of(world.owner, told).state == "FAILED"

    assert receive(world.database, [said, said]) == [told, told]
    waiting = came_of(world.owner, told)
    assert (waiting.state, waiting.waits_for, waiting.tries) == ("RECEIVED", APPLY, 0)
    assert line.findings() == []
    world.run(APPLY)
    assert (came_of(world.owner, told).state, came_of(world.owner, told).tries) == ("RECEIVED", 1)

    mend(world)
    hurry(world.owner, APPLY)
    world.run(APPLY)
    assert came_of(world.owner, told).state == "APPLIED"
    assert payout(world.owner, bad).state == "COMPLETED"
    receive(world.database, [said])
    assert came_of(world.owner, told).waits_for is None
    assert_sound(world.owner)


def test_what_is_applied_already_is_not_replayed(line: Line) -> None:
    [id_] = line.accepted()
    [told] = line.hears(id_, "processed")
    with line.world.operator.begin() as tx:
        [moved] = replay(tx, [told], actor="asha", why="once more")
    assert moved.outcome == "illegal"
    assert rows(line.world.owner, "SELECT FROM work WHERE job = :job", job=APPLY) == []


def test_replayed_it_finds_what_it_says_done_and_changes_nothing(line: Line) -> None:
    """Invariant 23, whoever delivers it."""
    [id_] = line.accepted()
    [told] = line.hears(id_, "processed")
    booked = line.booked(id_)
    change(line.world.owner, "UPDATE inbox SET state = 'FAILED'")
    change(
        line.world.owner,
        """INSERT INTO moves (kind, subject, source, target, actor)
           VALUES ('event', :id, 'RECEIVED', 'FAILED', 'test')""",
        id=told,
    )
    with line.world.operator.begin() as tx:
        replay(tx, [told], actor="asha", why="once more")
    line.world.run(APPLY)
    seen = came_of(line.world.owner, told)
    assert (seen.state, seen.outcome) == ("APPLIED", "nothing to do: it is COMPLETED")
    assert line.booked(id_) == booked
    assert_sound(line.world.owner)


def test_a_death_between_claim_and_commit_leaves_the_event_to_the_next(line: Line) -> None:
    """F76, invariant 34: what it says and the mark that it was applied are one commit."""
    [id_] = line.accepted()
    [told] = line.says(id_, "processed")
    job = line.world.jobs[APPLY]
    with suppress(Killed), line.world.database.begin() as tx:
        assert job.work(tx, ORDER).taken == 1  # type: ignore[attr-defined]  # a chore
        raise Killed
    assert came_of(line.world.owner, told).state == "RECEIVED"
    assert payout(line.world.owner, id_).state == "PROCESSING"
    line.world.run(APPLY)
    assert came_of(line.world.owner, told).state == "APPLIED"
    assert payout(line.world.owner, id_).state == "COMPLETED"
    assert_sound(line.world.owner)


def test_who_was_taken_over_cannot_mark_an_event(line: Line) -> None:
    """Invariant 35: without the token nothing is written, also in words."""
    [id_] = line.accepted()
    [told] = line.says(id_, "processed")
    with line.world.database.begin() as tx:
        stale, _ = events.take(tx, ORDER)
        held = list(stale.held.values())
    with line.world.database.begin() as tx:
        taken = transitions.seize(tx, [told], run=8, actor="run:8", leased_too=True)
        taken.settle([Next(subject=told, job=APPLY)])
    with line.world.database.begin() as tx:
        mine = transitions.regain(tx, held, run=7)
        assert mine.held == {}
        with pytest.raises(KeyError):
            events.conclude(mine, [Concluded(told, EventState.APPLIED, "mine")])
    seen = came_of(line.world.owner, told)
    assert (seen.state, seen.outcome, seen.waits_for) == ("RECEIVED", None, APPLY)


def test_an_event_that_was_moved_otherwise_is_let_go(line: Line) -> None:
    """Work that is left behind about an event which is over changes nothing, and ends."""
    [id_] = line.accepted()
    [told] = line.hears(id_, "processed")
    change(
        line.world.owner, "INSERT INTO work (job, subject) VALUES (:job, :id)", job=APPLY, id=told
    )
    booked = line.booked(id_)
    line.world.run(APPLY)
    assert came_of(line.world.owner, told).waits_for is None
    assert line.booked(id_) == booked
    assert_sound(line.world.owner)
