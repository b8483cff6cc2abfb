"""What could not be divided is tried again, three times; the fourth failure sets its money apart, once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.findings import FindingKind
from domain.obligations import CREATE, HEAL, TRIES_MAX
from tests.builders import assert_sound, change, rows
from tests.healing import (
    UNITS,
    escalations,
    failures,
    moved,
    reported,
    stalled,
    tried,
)
from tests.kit.clock import FrozenClock
from tests.kit.world import Scene
from tests.mortgages import (
    LINE,
    balances,
    lend,
    owe,
    pay,
    shares,
    standing,
)


def test_only_what_is_stalled_is_tried_again(world: Scene) -> None:
    """Found are neither those that were divided, nor escalated, nor not settled."""
    lend(world.operator, UNITS)
    whole, due = owe(world.operator, LINE, replace(LINE, external_id="due"))
    pay(world.operator, whole, 100_000)
    [gone] = stalled(world, "gone")
    tried(world, TRIES_MAX + 1)
    [here] = stalled(world, "here")
    waits = rows(world.owner, "SELECT subject FROM work WHERE job = :job", job=HEAL)
    assert [row.subject for row in waits] == [here]
    states = [standing(world.owner, id_).state for id_ in (whole, due, gone, here)]
    assert states == ["DISPERSED", "DUE", "ESCALATED", "STALLED"]
    assert_sound(world.owner)


def test_the_first_try_counts_one_failure_with_its_error(world: Scene) -> None:
    [id_] = stalled(world, "O-1")
    assert failures(world, id_) == []
    [told] = tried(world)
    assert (told["processed"], told["failed"]) == (1, 1)
    assert failures(world, id_) == [(1, "nobody has a position in its mortgage")]
    assert standing(world.owner, id_).state == "STALLED"


def test_the_second_try_counts_on_and_waits_longer(world: Scene, clock: FrozenClock) -> None:
    """Invariant 62: it backs off; what is not due is not tried."""
    [id_] = stalled(world, "O-1")
    assert world.run(HEAL).tally["processed"] == 0
    clock.forward(timedelta(minutes=15))
    assert world.run(HEAL).tally["failed"] == 1
    clock.forward(timedelta(minutes=15))
    assert world.run(HEAL).tally["processed"] == 0
    clock.forward(timedelta(minutes=15))
    assert world.run(HEAL).tally["failed"] == 1
    clock.forward(timedelta(minutes=59))
    assert world.run(HEAL).tally["processed"] == 0
    assert [number for number, _ in failures(world, id_)] == [1, 2]
    [row] = rows(world.owner, "SELECT last_error FROM work WHERE job = :job", job=HEAL)
    assert row.last_error == "nobody has a position in its mortgage"


def test_three_tries_go_on_and_the_fourth_escalates(world: Scene) -> None:
    """Invariant 62: attempts 1 to 3 try again, the fourth escalates."""
    [id_] = stalled(world, "O-1")
    told = tried(world, TRIES_MAX + 1)
    assert [one["failed"] for one in told] == [1, 1, 1, 0]
    assert [one["parked"] for one in told] == [0, 0, 0, 1]
    assert [number for number, _ in failures(world, id_)] == [1, 2, 3, 4]
    assert (standing(world.owner, id_).state, standing(world.owner, id_).job) == ("ESCALATED", None)
    assert reported(world) == [FindingKind.DISPERSAL_ESCALATED]
    [row] = rows(world.owner, "SELECT severity, detail FROM findings WHERE resolved_at IS NULL")
    assert row.severity == "P0"
    assert "1000.00 INR in suspense: nobody has a position in its mortgage" in row.detail
    assert_sound(world.owner)


def test_what_is_set_apart_is_what_it_received_out_of_its_mortgages_cash(world: Scene) -> None:
    """TRAP: the receivable that the receipt has credited before is credited again, and is below zero then."""
    [id_] = owe(world.operator, replace(LINE, amount_minor=80_000))
    pay(world.operator, id_, 50_000)
    pay(world.operator, id_, 30_000)
    world.run(CREATE)
    tried(world, TRIES_MAX + 1)
    key = f"suspense-escalation:{id_}"
    assert escalations(world) == [(key, "suspense", "trust_cash", 80_000)]
    assert balances(world.owner) == {"suspense": 80_000, "control_allocation": 80_000}
    assert standing(world.owner, id_).open == 0
    [item] = rows(world.owner, "SELECT owner FROM accounts WHERE kind = 'suspense'")
    assert item.owner == str(id_)
    assert_sound(world.owner)


def test_what_was_escalated_is_not_looked_at_again(world: Scene) -> None:
    """Invariant 62: the entry is posted once, and later runs skip it."""
    [id_] = stalled(world, "O-1")
    tried(world, TRIES_MAX + 1)
    assert [one["processed"] for one in tried(world, 2)] == [0, 0]
    change(world.owner, "INSERT INTO work (job, subject) VALUES (:job, :id)", job=HEAL, id=id_)
    [told] = tried(world)
    assert (told["skipped"], told["processed"]) == (1, 0)
    assert len(failures(world, id_)) == TRIES_MAX + 1
    assert len(escalations(world)) == 1
    assert rows(world.owner, "SELECT FROM work") == []
    assert_sound(world.owner)


def test_what_is_put_right_is_divided_by_itself_and_nothing_is_reported_any_more(
    world: Scene,
) -> None:
    """TRAP: an attempt that nobody resolves after it came right."""
    [id_] = stalled(world, "O-1")
    tried(world, TRIES_MAX)
    assert reported(world) == [FindingKind.DISPERSAL_STALLED]
    lend(world.operator, UNITS, mortgage="M-O-1")
    [told] = tried(world)
    assert (told["succeeded"], told["failed"], told["parked"]) == (1, 0, 0)
    assert shares(world.owner, id_) == {"A": 55_000, "B": 36_667}
    assert standing(world.owner, id_).state == "DISPERSED"
    assert (reported(world), escalations(world)) == ([], [])
    assert_sound(world.owner)


@pytest.mark.parametrize("amount", [100_000, 8_000])
def test_what_was_divided_between_the_look_and_the_try_is_not_escalated(
    world: Scene, amount: int
) -> None:
    """Invariant 63: a dispersal that is there by now resolves it. TRAP: entries that exist are not looked for again."""
    lend(world.operator, UNITS)
    [id_] = owe(world.operator, replace(LINE, amount_minor=amount))
    pay(world.operator, id_, amount)
    world.run(CREATE)
    before = balances(world.owner)
    moved(world, id_, "DISPERSED", "STALLED", HEAL)
    for number in range(1, TRIES_MAX + 2):
        change(
            world.owner,
            """INSERT INTO healing_failures (obligation, generation, number, error)
               VALUES (:id, 1, :number, 'test')""",
            id=id_,
            number=number,
        )
    [told] = tried(world)
    assert (told["succeeded"], told["parked"]) == (1, 0)
    assert standing(world.owner, id_).state == "DISPERSED"
    assert balances(world.owner) == before
    assert_sound(world.owner)


def test_what_the_fee_took_whole_is_never_tried_again(world: Scene) -> None:
    """Invariant 65. TRAP: an obligation without a share taken for one that was not divided, and escalated."""
    lend(world.operator, UNITS)
    [id_] = owe(world.operator, replace(LINE, amount_minor=8_000))
    pay(world.operator, id_, 8_000)
    world.run(CREATE)
    assert [one["processed"] for one in tried(world, TRIES_MAX + 1)] == [0] * (TRIES_MAX + 1)
    assert (standing(world.owner, id_).state, failures(world, id_)) == ("DISPERSED", [])
    assert escalations(world) == []


def test_a_persons_retry_does_not_begin_the_count_anew(world: Scene) -> None:
    [id_] = stalled(world, "O-1")
    tried(world, 2)
    moved(world, id_, "STALLED", "SETTLED", CREATE)
    change(world.owner, "DELETE FROM work WHERE job = :job", job=HEAL)
    world.run(CREATE)
    tried(world, 2)
    assert standing(world.owner, id_).state == "ESCALATED"


def test_a_generation_is_escalated_once_whatever_is_tried_afterwards(world: Scene) -> None:
    """Invariant 62: posted exactly once; what cannot be divided after it was taken out stays, and says so."""
    [id_] = stalled(world, "O-1")
    tried(world, TRIES_MAX + 1)
    before = balances(world.owner)
    moved(world, id_, "ESCALATED", "STALLED", HEAL)
    tried(world, 2)
    assert standing(world.owner, id_).state == "STALLED"
    assert reported(world) == [FindingKind.ESCALATION_REFUSED]
    assert len(escalations(world)) == 1
    assert balances(world.owner) == before
