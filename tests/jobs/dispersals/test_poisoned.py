"""What is poisoned stops nobody, is counted only where it failed, and money that never came in is never set apart."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from db import drafts
from db.drafts import Draft, Leg
from db.engine import Database
from db.errors import RuleBrokenError
from db.obligations.facts import read
from db.work import ClaimOrder
from domain.backoff import SETTLE_ERROR_SECONDS
from domain.findings import FindingKind
from domain.ledger import AccountKind, EntryType
from domain.obligations import CREATE, HEAL, TRIES_MAX
from domain.tally import Count
from jobs.dispersals.heal import HealDispersals
from tests.builders import assert_sound, change, hurry, rows
from tests.db.test_ledger import broken
from tests.healing import (
    UNITS,
    escalations,
    failures,
    moved,
    reported,
    spent,
    stalled,
    tried,
)
from tests.kit.clock import FrozenClock
from tests.kit.world import Scene
from tests.mortgages import (
    DAY,
    LINE,
    SETTLED,
    balances,
    lend,
    owe,
    pay,
    standing,
)

LOCK = sa.text("SELECT FROM work WHERE subject = :id FOR UPDATE")


def test_one_that_can_not_even_be_set_apart_stops_nobody(world: Scene) -> None:
    """Invariant 64. TRAP: an escalation that breaks again and again, and with it all that come after it."""
    names = [f"O-{number}" for number in range(7)]
    ids = stalled(world, *names)
    poisoned = ids[3]
    spent(world, standing(world.owner, poisoned).mortgage, 1)
    lend(world.operator, UNITS, mortgage="M-O-5")
    tried(world, TRIES_MAX + 1)
    states = [standing(world.owner, id_).state for id_ in ids]
    assert states == ["ESCALATED"] * 3 + ["STALLED", "ESCALATED", "DISPERSED", "ESCALATED"]
    assert len(escalations(world)) == 5
    number, error = failures(world, poisoned)[-1]
    assert number == TRIES_MAX + 1
    assert "nobody has a position in its mortgage; nor can it be set apart: " in error
    [row] = rows(
        world.owner,
        "SELECT severity, detail FROM findings WHERE resolved_at IS NULL AND kind = 'escalation-refused'",
    )
    assert (row.severity, error in row.detail) == ("P0", True)
    refused = rows(world.owner, "SELECT DISTINCT key, type FROM rejected_postings")
    assert [(row.key, row.type) for row in refused] == [
        (f"suspense-escalation:{poisoned}", EntryType.SUSPENSE_ESCALATED)
    ]
    [told] = tried(world)
    assert told["failed"] == 1
    spent(world, standing(world.owner, poisoned).mortgage, -1)
    [told] = tried(world)
    assert told["parked"] == 1
    assert FindingKind.ESCALATION_REFUSED not in reported(world)
    assert_sound(world.owner)


def test_an_account_that_is_missing_is_opened(world: Scene) -> None:
    """TRAP: a missing account makes the escalation break at each run."""
    [id_] = stalled(world, "O-1")
    assert rows(world.owner, "SELECT FROM accounts WHERE kind = 'suspense'") == []
    tried(world, TRIES_MAX + 1)
    assert standing(world.owner, id_).state == "ESCALATED"
    assert len(rows(world.owner, "SELECT FROM accounts WHERE kind = 'suspense'")) == 1


def test_amounts_that_no_float_holds_are_set_apart_to_the_unit(world: Scene) -> None:
    """TRAP: an amount read as a float, and rounded."""
    amount = 2**53 + 1
    [id_] = owe(world.operator, replace(LINE, amount_minor=amount))
    pay(world.operator, id_, amount)
    world.run(CREATE)
    tried(world, TRIES_MAX + 1)
    assert [one[-1] for one in escalations(world)] == [amount]
    assert balances(world.owner) == {"suspense": amount, "control_allocation": amount}


def test_each_that_is_poisoned_says_its_own_error(world: Scene) -> None:
    """Invariant 64: the others are divided, and each failure is on record."""
    first, second, third = stalled(world, "O-1", "O-2", "O-3")
    for mortgage in ("M-O-2", "M-O-3"):
        lend(world.operator, UNITS, mortgage=mortgage)
    change(world.owner, "UPDATE obligations SET settled_on = NULL WHERE id = :id", id=third)
    [told] = tried(world)
    assert (told["succeeded"], told["failed"]) == (1, 2)
    assert [error for _, error in failures(world, first)] == [
        "nobody has a position in its mortgage"
    ]
    assert failures(world, second) == []
    assert [error for _, error in failures(world, third)] == [
        "it is settled, and nobody says since when"
    ]
    assert reported(world) == [FindingKind.DISPERSAL_STALLED, FindingKind.SETTLED_WITHOUT_DATE]


def test_a_run_that_did_not_come_to_it_counts_no_failure(world: Scene, clock: FrozenClock) -> None:
    """TRAP: the count rises because a scheduled run is late, not because anything failed."""
    [id_] = stalled(world, "O-1")
    for _ in range(TRIES_MAX + 2):
        assert world.run(HEAL).tally["processed"] == 0
    clock.forward(timedelta(days=2))
    with world.owner.begin() as tx:
        tx.rows(LOCK, id=id_)
        assert world.run(HEAL).tally["processed"] == 0
    assert failures(world, id_) == []
    assert world.run(HEAL).tally["failed"] == 1
    assert [number for number, _ in failures(world, id_)] == [1]


def test_a_page_of_any_size_is_gone_through(world: Scene) -> None:
    """TRAP: only the first page of candidates is ever looked at."""
    names = [f"O-{number}" for number in range(9)]
    ids = stalled(world, *names)
    hurry(world.owner, HEAL)
    job, seen = HealDispersals(), 0
    while done := one_page(world.database, job):
        seen += done
    assert seen == len(ids)
    assert all(len(failures(world, id_)) == 1 for id_ in ids)


def one_page(database: Database, job: HealDispersals) -> int:
    """A transaction of two."""
    order = ClaimOrder(run=1, limit=2, lease_seconds=15.0)
    return database.transact(lambda tx: job.work(tx, order)).tally[Count.PROCESSED]


def test_what_received_nothing_is_never_set_apart_and_divided_once_money_comes_in(
    world: Scene,
) -> None:
    """TRAP: the obligation's own amount moved, although nothing came in."""
    lend(world.operator, UNITS)
    [id_] = owe(world.operator, SETTLED)
    world.run(CREATE)
    tried(world, TRIES_MAX + 3)
    assert (standing(world.owner, id_).state, escalations(world)) == ("STALLED", [])
    assert len(failures(world, id_)) == TRIES_MAX + 1
    assert reported(world) == [FindingKind.SETTLED_WITHOUT_CASH]
    pay(world.operator, id_, 100_000)
    assert world.run(HEAL).tally["succeeded"] == 1
    assert (standing(world.owner, id_).state, reported(world)) == ("DISPERSED", [])
    assert_sound(world.owner)


def test_what_breaks_a_rule_whenever_it_is_divided_is_left_to_healing(
    world: Scene, clock: FrozenClock, superuser_url: str
) -> None:
    """Invariant 64: it is no parked row that nobody counts."""
    lend(world.operator, UNITS)
    [id_] = owe(world.operator, LINE)
    pay(world.operator, id_, 100_000)
    with broken(superuser_url, "calculation_runs", "AFTER"):
        for _ in range(len(SETTLE_ERROR_SECONDS) + 1):
            world.run(CREATE)
            clock.forward(timedelta(minutes=10))
        assert (standing(world.owner, id_).state, standing(world.owner, id_).job) == (
            "STALLED",
            HEAL,
        )
        tried(world, TRIES_MAX)
        number, error = failures(world, id_)[-1]
        assert (number, "broken on purpose" in error) == (3, True)
        tried(world)
    assert standing(world.owner, id_).state == "ESCALATED"
    assert_sound(world.owner)


def test_what_breaks_healing_itself_again_and_again_is_counted_and_escalated(
    world: Scene, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 64. TRAP: a mistake of the program parks it: no failure is counted, and nobody is told."""

    def broken_by_mistake(_inputs: object) -> None:
        raise ValueError("broken by mistake")

    [id_] = stalled(world, "O-1")
    monkeypatch.setattr("db.dispersals.create.calculate", broken_by_mistake)
    for _ in range(TRIES_MAX + 1):
        hurry(world.owner, HEAL)
        for _ in range(len(SETTLE_ERROR_SECONDS) + 1):
            world.run(HEAL)
            clock.forward(timedelta(minutes=10))
    assert [number for number, _ in failures(world, id_)] == [1, 2, 3, 4]
    assert all("broken by mistake" in error for _, error in failures(world, id_))
    assert standing(world.owner, id_).state == "ESCALATED"
    assert reported(world) == [FindingKind.DISPERSAL_ESCALATED]
    assert_sound(world.owner)


def test_what_another_system_escalated_is_taken_over_as_it_was_posted(world: Scene) -> None:
    """Its accounts stay legal, and the receivable that it would take below zero is put right before, by two people."""
    [id_] = stalled(world, "O-1")
    [one] = world.operator.transact(lambda tx: read(tx, [id_]))
    receivable = one.account(AccountKind.BORROWER_RECEIVABLE)
    theirs = Draft(
        type=EntryType.SUSPENSE_ESCALATED,
        key=f"suspense-escalation:{id_}",
        effective_on=DAY,
        legs=(Leg(debit=one.account(AccountKind.SUSPENSE), credit=receivable, amount=100_000),),
    )
    with pytest.raises(RuleBrokenError) as refused:
        post(world.operator, theirs)
    assert refused.value.constraint == "never_below_zero"
    [receipt] = rows(world.owner, "SELECT id FROM entries WHERE type = 'CASH_RECEIVED'")
    ours = Draft(
        type=EntryType.CORRECTION,
        key="correction:letter 7",
        effective_on=DAY,
        legs=(
            Leg(debit=receivable, credit=one.of_mortgage(AccountKind.TRUST_CASH), amount=100_000),
        ),
        cause=receipt.id,
        reason="what follows was posted elsewhere",
    )
    post(world.operator, ours)
    post(world.operator, theirs)
    moved(world, id_, "STALLED", "ESCALATED", None)
    change(world.owner, "DELETE FROM work WHERE job = :job", job=HEAL)
    assert balances(world.owner) == {"suspense": 100_000, "control_allocation": 100_000}
    [now] = world.operator.transact(lambda tx: read(tx, [id_]))
    assert (now.open, now.received) == (0, 100_000)
    assert_sound(world.owner)


def post(database: Database, draft: Draft) -> None:
    """Two people post an entry."""
    database.transact(lambda tx: drafts.post(tx, [draft], run=None, actor="asha, ravi"))
