"""notices.deliver through the real runner: at least once, in order, given up in the end, and told again."""

import json
from collections.abc import Callable
from itertools import groupby
from uuid import UUID

import pytest

from db import switches
from db.engine import Database
from db.transitions import unleased_move
from domain.backoff import NOTICE_SECONDS
from domain.notices import DELIVER, NOTICES, TRIES_MAX, NoticeState
from domain.payout_ids import reference
from domain.payouts import FOLLOW, PROCESS
from domain.switches import NOTICES as SWITCH
from tests.builders import assert_sound, change, hurry, rows, seed
from tests.fakes.events import Trouble
from tests.kit.world import Scene


def told(world: Scene, count: int = 1, *, reversed_too: bool = False) -> list[UUID]:
    """Payouts that ended, with their notices waiting."""
    with world.operator.begin() as tx:
        switches.turn(tx, SWITCH, on=True, who="asha", why="x")
    ids = seed(world.url, count)
    world.run(PROCESS)
    world.bank.finish()
    hurry(world.owner, FOLLOW)
    world.run(FOLLOW)
    if reversed_too:
        for id_ in ids:
            world.bank.settle(reference(id_, 1), "reversed")
        hurry(world.owner, FOLLOW)
        world.run(FOLLOW)
    return ids


def states(world: Scene) -> list[str]:
    """The states of all notices, in the order of their subjects and sequences."""
    found = rows(world.owner, "SELECT state FROM notices ORDER BY subject, sequence")
    return [row.state for row in found]


def waits(owner: Database) -> list[tuple[int, int, str | None]]:
    """(tries, seconds until the next, last error) of what waits, soonest first."""
    found = rows(
        owner,
        """SELECT tries, round(extract(epoch FROM due_at - clock_timestamp())) AS seconds, last_error FROM work
           WHERE job = :job AND parked_reason IS NULL ORDER BY due_at""",
        job=DELIVER,
    )
    return [(row.tries, int(row.seconds), row.last_error) for row in found]


def again(world: Scene) -> None:
    """Let the time of the next try come, and try."""
    hurry(world.owner, DELIVER)
    world.run(DELIVER)


def test_each_is_sent_once_as_it_was_written(world: Scene) -> None:
    told(world, 30)
    run = world.run(DELIVER)

    assert run.state == "succeeded"
    assert run.tally["succeeded"] == 30
    assert states(world) == ["DELIVERED"] * 30
    written = rows(world.owner, "SELECT id, CAST(payload AS text) AS body FROM notices")
    assert sorted(world.fakes.events.taken) == sorted((str(r.id), r.body) for r in written)
    assert_sound(world.owner)


@pytest.mark.parametrize("trouble", list(Trouble))
def test_what_was_not_heard_is_sent_again_under_its_id(world: Scene, trouble: Trouble) -> None:
    """Also where only the answer was lost: the receiver tells the repeat by its id (at least once)."""
    told(world)
    world.fakes.events.script(trouble)
    assert world.run(DELIVER).tally["waiting"] == 1
    [(tries, seconds, error)] = waits(world.owner)
    assert (tries, error) == (1, trouble.name)
    assert 3 <= seconds <= NOTICE_SECONDS[0]
    assert states(world) == ["PENDING"]

    again(world)
    assert states(world) == ["DELIVERED"]
    taken = world.fakes.events.taken
    assert len(taken) == 1 + (trouble is Trouble.LOST)
    assert len(set(taken)) == 1
    assert_sound(world.owner)


def test_tries_slow_down_to_one_an_hour(world: Scene) -> None:
    told(world)
    world.fakes.events.script(*[Trouble.ERROR] * 8)
    seen = []
    for _ in range(8):
        again(world)
        seen.append(waits(world.owner)[0][1])
    assert [abs(a - b) <= 2 for a, b in zip(seen, [*NOTICE_SECONDS, 3600, 3600], strict=True)]
    assert seen[-1] > 3590


def test_a_later_notice_waits_until_the_earlier_was_heard(world: Scene) -> None:
    told(world, 3, reversed_too=True)
    events = world.fakes.events
    events.script(*[Trouble.ERROR] * 3)
    world.run(DELIVER)
    assert {json.loads(body)["sequence"] for _, body in events.came} == {1}
    assert events.taken == []
    hurry(world.owner, DELIVER)
    world.run(DELIVER)
    again(world)
    assert states(world) == ["DELIVERED"] * 6
    by_payout = sorted(
        (json.loads(body) for _, body in events.taken), key=lambda e: e["payout"]["id"]
    )
    for _, of_one in groupby(by_payout, key=lambda e: e["payout"]["id"]):
        assert [e["type"] for e in of_one] == ["payout.completed", "payout.reversed"]
    assert_sound(world.owner)


def test_who_waits_for_another_looks_again_when_that_is_tried(world: Scene) -> None:
    told(world, reversed_too=True)
    world.fakes.events.script(*[Trouble.ERROR] * 3)
    for _ in range(3):
        again(world)
    hurry(world.owner, DELIVER)
    change(
        world.owner,
        """UPDATE work SET due_at = clock_timestamp() + interval '100 s' WHERE job = :job
           AND subject = (SELECT id FROM notices WHERE sequence = 1)""",
        job=DELIVER,
    )
    world.run(DELIVER)
    assert len(world.fakes.events.came) == 3
    first, second = waits(world.owner)
    assert abs(first[1] - second[1]) <= 1
    assert (second[0], second[2]) == (0, "an earlier notice of its subject is not delivered yet")


def test_one_that_is_parked_is_waited_for_and_others_go_on(world: Scene) -> None:
    ids = told(world, 2, reversed_too=True)
    change(
        world.owner,
        """UPDATE work SET due_at = 'infinity', parked_reason = 'x' WHERE job = :job
           AND subject = (SELECT id FROM notices WHERE sequence = 1 AND subject = :payout)""",
        job=DELIVER,
        payout=ids[0],
    )
    for _ in range(3):
        again(world)
    heard = {json.loads(body)["payout"]["id"] for _, body in world.fakes.events.taken}
    assert heard == {str(ids[1])}
    assert [seconds > 3500 for _, seconds, _ in waits(world.owner)[:1]] == [True]


def test_one_that_is_never_heard_is_given_up_found_and_no_longer_in_the_way(world: Scene) -> None:
    told(world, reversed_too=True)
    events = world.fakes.events
    change(
        world.owner,
        """UPDATE work SET tries = :tries WHERE job = :job
           AND subject = (SELECT id FROM notices WHERE sequence = 1)""",
        tries=TRIES_MAX - 1,
        job=DELIVER,
    )
    events.script(Trouble.ERROR)
    assert world.run(DELIVER).tally["failed"] == 1
    assert states(world) == ["FAILED", "PENDING"]
    [finding] = rows(world.owner, "SELECT * FROM findings WHERE kind = 'notice-undelivered'")
    assert finding.severity == "P1"
    assert finding.detail.endswith("the last: ERROR")
    again(world)
    assert states(world) == ["FAILED", "DELIVERED"]
    assert_sound(world.owner)


def test_what_was_given_up_is_replayed_under_its_id_and_the_finding_heals(world: Scene) -> None:
    told(world)
    change(world.owner, "UPDATE work SET tries = :t WHERE job = :j", t=TRIES_MAX - 1, j=DELIVER)
    world.fakes.events.script(Trouble.LOST)
    world.run(DELIVER)
    [notice] = rows(world.owner, "SELECT id FROM notices")
    with world.operator.begin() as tx:
        [moved] = unleased_move(
            tx, NOTICES, [notice.id], target=NoticeState.PENDING, actor="asha", why="fixed"
        )
    assert moved.outcome == "moved"
    world.run(DELIVER)

    assert states(world) == ["DELIVERED"]
    assert {event for event, _ in world.fakes.events.taken} == {str(notice.id)}
    [finding] = rows(world.owner, "SELECT * FROM findings WHERE kind = 'notice-undelivered'")
    assert finding.auto_healed
    assert_sound(world.owner)


def test_one_that_kills_its_worker_is_parked(world: Scene) -> None:
    told(world)
    change(
        world.owner,
        "UPDATE work SET claims = 3, due_at = clock_timestamp() WHERE job = :job",
        job=DELIVER,
    )
    world.run(DELIVER)
    [work] = rows(world.owner, "SELECT parked_reason FROM work WHERE job = :job", job=DELIVER)
    assert work.parked_reason == "claimed 3 times without a settle"
    assert world.fakes.events.came == []


def test_healthy_workers_come_to_an_end_with_a_receiver_in_trouble(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    told(world, 20, reversed_too=True)
    world.fakes.events.script(*list(Trouble) * 4)
    run_to_quiet()
    assert states(world) == ["DELIVERED"] * 40
    first: dict[str, int] = {}
    for place, (event, _) in enumerate(world.fakes.events.taken):
        first.setdefault(event, place)
    found = rows(
        world.owner, "SELECT id, subject, sequence FROM notices ORDER BY subject, sequence"
    )
    for _, of_one in groupby(found, key=lambda row: row.subject):
        places = [first[str(row.id)] for row in of_one]
        assert places == sorted(places)
    assert_sound(world.owner)
